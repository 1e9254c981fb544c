//! Cost.
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use statim::monitor::{Monitor, MonitorOptions};
use statim::prelude::*;

struct Pass;
impl Message for Pass {}
struct Member { number: usize, ring: Arc<OnceLock<Vec<AgentRef<Pass>>>> }
impl Agent for Member {
    type Message = Pass;
    type Error = std::convert::Infallible;
    async fn handle(&mut self, pass: Pass, _: &mut Context<Self>) -> Result<(), Self::Error> {
        if let Some(ring) = self.ring.get() { let _ = ring[(self.number + 1) % ring.len()].try_tell(pass); }
        Ok(())
    }
}
fn cpu() -> Duration {
    // Brought up to date by a switch.
    std::thread::sleep(Duration::from_millis(20));
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
fn go(cpu_time: bool) {
    let runtime = Runtime::builder().arbiters(2).cpu_time(cpu_time).start().unwrap();
    let ring = Arc::new(OnceLock::new());
    let members: Vec<_> = (0..1000).map(|number| { let ring = Arc::clone(&ring);
        runtime.spawn(&format!("member-{number}"), AgentOptions::default(), move || Member { number, ring: Arc::clone(&ring) }).unwrap() }).collect();
    let members = ring.get_or_init(|| members);
    for t in 0..64 { members[t * 1000 / 64].try_tell(Pass).unwrap(); }
    std::thread::sleep(Duration::from_secs(1));
    let handled = || runtime.snapshot().agents.iter().map(|a| a.handled).sum::<u64>();
    for _ in 0..2 {
        let before = handled(); let began = std::time::Instant::now();
        std::thread::sleep(Duration::from_secs(4));
        println!("cpu_time {cpu_time}: {:.3} M/s", (handled() - before) as f64 / began.elapsed().as_secs_f64() / 1e6);
    }
    for (name, latency_interval) in [("plain", Duration::MAX), ("histograms", Duration::ZERO)] {
        let monitor = Monitor::new(&runtime, MonitorOptions { latency_interval, ..MonitorOptions::default() });
        monitor.look();
        let mut all = Vec::new();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(500));
            let before = cpu();
            monitor.look();
            all.push(((cpu() - before).as_secs_f64() * 1e5).round() / 1e2);
        }
        println!("{name}: {all:?} ms");
    }
}
#[test]
fn cost() { go(false); go(true); }
