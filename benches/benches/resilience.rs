//! What a guard costs a call that it lets pass: `cargo bench -p statim-bench --bench resilience -- [--quick] [--json FILE]`.
//!
//! Each workload runs every system in turns, in one process, and ends in ratios to Statim's figure: above 1, the other
//! is slower. The call itself is empty, so that the figures are overhead and nothing else; `bare` is what the loop and
//! the empty call cost. The last line answers whether a circuit breaker and a rate limit together cost a call less than
//! 100 ns.

use std::future::Future;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use clap::Parser;
use statim::prelude::*;
use statim::resilience::{
    AdmissionController, AdmissionOptions, BreakerOptions, BulkheadOptions, CircuitBreaker, Environment,
    KeyedRateLimitOptions, KeyedRateLimiter, Policy, RateLimitOptions, RateLimiter, Verdict, Window,
};
use statim::{Link, LinkOptions};
use statim_bench::command::{self, Output};
use statim_bench::machine::Machine;
use statim_bench::measure::{self, Measured, Plan};
use statim_bench::report::Report;
use statim_bench::{Case, Fault};
use tower::{Service, ServiceBuilder};

/// Calls in a full round.
const CALLS: u64 = 5_000_000;
/// Messages in a full round, where the call is one.
const MESSAGES: u64 = 500_000;
/// Messages queued before they are taken away, outside the time that is measured.
const QUEUED: u64 = 5_000;
/// What a breaker and a limiter may cost a call together, in nanoseconds.
const ALLOWED: f64 = 100.0;
/// Keys of the keyed limiters.
const KEYS: u64 = 1000;

/// Measures the guards beside failsafe, governor and tower. Exit status: 0 measured, 1 a case failed.
#[derive(Debug, Parser)]
struct Arguments {
    /// A tenth of the work in fewer rounds: a look, not a figure to quote
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

fn main() -> ExitCode {
    command::exit("resilience", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let machine = Machine::look();
    let measured = measure::run(&cases(), plan, |workload| eprintln!("measuring {workload} ..."))
        .map_err(|failed| failed.to_string())?;
    let report = Report::new(&machine, &measured, &[]);
    print!("{}", report.tables(&measured, &[]));
    ratios(&measured);
    verdict(&measured);
    arguments.output.write(|| report)
}

/// Every system of a workload against the first, which is Statim.
fn ratios(measured: &[Measured]) {
    println!("\nRatios to Statim in this run:");
    for group in measured.chunk_by(|a, b| a.case.workload == b.case.workload) {
        for other in &group[1..] {
            let ratio = other.median() / group[0].median();
            println!("  {:<12} {:<44} {ratio:>8.3}", group[0].case.workload, other.case.system);
        }
    }
}

/// What a breaker and a limiter cost a call together, and a message over a link.
fn verdict(measured: &[Measured]) {
    let of = |workload: &str, system: &str| {
        let found = measured.iter().find(|it| it.case.workload == workload && it.case.system == system);
        found.map_or(f64::NAN, Measured::median)
    };
    let both = of("both", "Statim") - of("both", BARE);
    let link = of("link", LINKED) - of("link", BARE);
    println!(
        "\nA breaker and a limiter together cost a call {both:.1} ns, and a message over a link {link:.1} ns."
    );
    let word = if both < ALLOWED { "Under" } else { "NOT under" };
    println!("{word} the {ALLOWED:.0} ns that a call may cost more.");
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut workload = |workload, about, systems: &[System]| {
        let operations = if workload == "link" { MESSAGES } else { CALLS };
        for &(system, package, run) in systems {
            let system = system.to_owned();
            cases.push(Case {
                workload,
                about,
                system,
                package,
                operations,
                rounds: usize::MAX,
                fitting: |calls| calls,
                run,
            });
        }
    };
    workload(
        "breaker",
        "a permit and a success, one thread",
        &[
            ("Statim, last 100 calls", "statim", |calls| Ok(breaker(calls, Window::Calls(100)))),
            ("Statim, last 10 s", "statim", |calls| {
                Ok(breaker(calls, Window::Time(Duration::from_secs(10))))
            }),
            ("failsafe, consecutive failures", "failsafe", failsafe_consecutive),
            ("failsafe, success rate over 10 s", "failsafe", failsafe_rate),
        ],
    );
    workload(
        "breaker_two",
        "the same from two threads at once, on one breaker",
        &[
            ("Statim, last 100 calls", "statim", breaker_two),
            ("failsafe, success rate over 10 s", "failsafe", failsafe_two),
        ],
    );
    workload(
        "limiter",
        "a check that passes, one thread",
        &[
            ("Statim", "statim", limiter),
            ("governor", "governor", governor_direct),
            ("tower, RateLimit", "tower", tower_limit),
        ],
    );
    workload(
        "keyed",
        "a check that passes, 1,000 keys in turn",
        &[("Statim", "statim", keyed), ("governor", "governor", governor_keyed)],
    );
    workload(
        "both",
        "a check, a permit and a success, one thread",
        &[
            ("Statim", "statim", both),
            ("governor and failsafe (success rate)", "governor", peers_both),
            (BARE, "statim", bare),
        ],
    );
    workload(
        "policy",
        "a whole asynchronous call through rate limit, bulkhead and, but for tower, a breaker",
        &[
            ("Statim, Policy::call_judged", "statim", policy),
            ("Statim, Policy::try_enter", "statim", policy_enter),
            ("tower, RateLimit and ConcurrencyLimit", "tower", tower_limits),
            ("tower, bare service", "tower", tower_bare),
        ],
    );
    workload(
        "link",
        "a message told to an agent that is held, one thread",
        &[
            (LINKED, "statim", |calls| link(calls, Some(guarded()))),
            ("Statim, a link without guards", "statim", |calls| link(calls, Some(LinkOptions::default()))),
            ("Statim, admission control", "statim", admitting),
            (BARE, "statim", |calls| link(calls, None)),
        ],
    );
    workload(
        "admission",
        "a message admitted, and observed when it is taken",
        &[("Statim", "statim", admission)],
    );
    cases
}

/// The call by itself.
const BARE: &str = "bare";
const LINKED: &str = "Statim, a link with breaker and rate limit";

type System = (&'static str, &'static str, fn(u64) -> Result<Duration, Fault>);

/// Times so many calls of `call`.
fn time(calls: u64, mut call: impl FnMut(u64)) -> Duration {
    let began = Instant::now();
    for number in 0..calls {
        call(black_box(number));
    }
    began.elapsed()
}

/// Times `call` from two threads at once; the figure is that of one call of either.
fn time_two(calls: u64, call: impl Fn(u64) + Sync) -> Duration {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| time(calls / 2, &call));
        }
    });
    began.elapsed()
}

fn statim_breaker(window: Window) -> CircuitBreaker {
    let options = BreakerOptions { window, ..BreakerOptions::default() };
    CircuitBreaker::new("callee", &options, &Environment::default()).expect("the options are valid")
}

/// A limit of a call a nanosecond, which is never reached.
fn unreachable_rate() -> RateLimitOptions {
    RateLimitOptions { permits: 1_000_000, per: Duration::from_millis(1), ..RateLimitOptions::per_second(1) }
}

fn statim_limiter() -> RateLimiter {
    RateLimiter::new("callee", &unreachable_rate(), &Environment::default()).expect("the options are valid")
}

/// The same for governor.
fn unreachable_quota() -> governor::Quota {
    let burst = NonZeroU32::new(1_000_000).expect("not zero");
    governor::Quota::with_period(Duration::from_nanos(1)).expect("not zero").allow_burst(burst)
}

fn call(breaker: &CircuitBreaker, number: u64) {
    match breaker.try_acquire() {
        Ok(permit) => {
            black_box(number);
            permit.success();
        }
        Err(_) => unreachable!("nothing fails"),
    }
}

fn breaker(calls: u64, window: Window) -> Duration {
    let breaker = statim_breaker(window);
    time(calls, |number| call(&breaker, number))
}

fn breaker_two(calls: u64) -> Result<Duration, Fault> {
    let breaker = statim_breaker(Window::Calls(100));
    Ok(time_two(calls, |number| call(&breaker, number)))
}

fn failsafe_consecutive(calls: u64) -> Result<Duration, Fault> {
    let backoff = failsafe::backoff::constant(Duration::from_secs(60));
    let policy = failsafe::failure_policy::consecutive_failures(5, backoff);
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    Ok(time(calls, |number| failsafe_call(&breaker, number)))
}

fn failsafe_call(breaker: &impl failsafe::CircuitBreaker, number: u64) {
    assert!(breaker.call(|| Ok::<_, ()>(black_box(number))).is_ok(), "nothing fails");
}

fn failsafe_rate_breaker() -> impl failsafe::CircuitBreaker + Sync {
    let backoff = failsafe::backoff::constant(Duration::from_secs(60));
    let window = Duration::from_secs(10);
    let policy = failsafe::failure_policy::success_rate_over_time_window(0.5, 100, window, backoff);
    failsafe::Config::new().failure_policy(policy).build()
}

fn failsafe_rate(calls: u64) -> Result<Duration, Fault> {
    let breaker = failsafe_rate_breaker();
    Ok(time(calls, |number| failsafe_call(&breaker, number)))
}

fn failsafe_two(calls: u64) -> Result<Duration, Fault> {
    let breaker = failsafe_rate_breaker();
    Ok(time_two(calls, |number| failsafe_call(&breaker, number)))
}

fn limiter(calls: u64) -> Result<Duration, Fault> {
    let limiter = statim_limiter();
    Ok(time(calls, |_| limiter.check().expect("the limit is not reached")))
}

fn governor_direct(calls: u64) -> Result<Duration, Fault> {
    let limiter = governor::RateLimiter::direct(unreachable_quota());
    Ok(time(calls, |_| limiter.check().expect("the limit is not reached")))
}

fn keyed(calls: u64) -> Result<Duration, Fault> {
    let options = KeyedRateLimitOptions { rate: unreachable_rate(), ..KeyedRateLimitOptions::default() };
    let limiter =
        KeyedRateLimiter::new("callee", &options, &Environment::default()).expect("the options are valid");
    Ok(time(calls, |number| limiter.check(&(number % KEYS)).expect("the limit is not reached")))
}

fn governor_keyed(calls: u64) -> Result<Duration, Fault> {
    let limiter = governor::RateLimiter::keyed(unreachable_quota());
    Ok(time(calls, |number| limiter.check_key(&(number % KEYS)).expect("the limit is not reached")))
}

fn both(calls: u64) -> Result<Duration, Fault> {
    let (limiter, breaker) = (statim_limiter(), statim_breaker(Window::Calls(100)));
    Ok(time(calls, |number| {
        limiter.check().expect("the limit is not reached");
        call(&breaker, number);
    }))
}

fn bare(calls: u64) -> Result<Duration, Fault> {
    Ok(time(calls, |number| {
        black_box(number);
    }))
}

struct Note;

impl Message for Note {
    fn key(&self) -> Option<Key> {
        Some(Key::of("note"))
    }
}

struct Held;

impl Agent for Held {
    type Message = Note;
    type Error = std::convert::Infallible;

    async fn handle(&mut self, _: Note, _: &mut statim::Context<Self>) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn guarded() -> LinkOptions {
    LinkOptions::default().rate_limit(unreachable_rate()).breaker(BreakerOptions::default())
}

/// Tells an agent that is held, over a link with these guards or without one.
fn link(calls: u64, options: Option<LinkOptions>) -> Result<Duration, Fault> {
    let link = |agent: &AgentRef<Note>| options.map(|it| agent.guarded("bench", &it).expect("is valid"));
    tell(calls, AgentOptions::default(), link)
}

/// The same to one with admission control.
fn admitting(calls: u64) -> Result<Duration, Fault> {
    tell(calls, AgentOptions::default().admission(AdmissionOptions::default()), |_| None)
}

fn tell(
    calls: u64,
    options: AgentOptions,
    link: impl FnOnce(&AgentRef<Note>) -> Option<Link<Note>>,
) -> Result<Duration, Fault> {
    let start = |error: &dyn std::fmt::Display| Fault::Start(error.to_string());
    let runtime =
        Runtime::builder().arbiters(1).keep_dead_letters(0).start().map_err(|error| start(&error))?;
    let agent = runtime.spawn("held", options, || Held).map_err(|error| start(&error))?;
    agent.pause().map_err(|error| start(&error))?;
    while runtime.snapshot().agent("held").is_none_or(|it| it.state != statim::AgentState::Paused) {
        std::thread::yield_now();
    }
    let link = link(&agent);
    let mut took = Duration::ZERO;
    for _ in 0..calls.div_ceil(QUEUED) {
        took += match &link {
            Some(link) => time(QUEUED, |_| link.try_tell(Note).expect("there is room")),
            None => time(QUEUED, |_| agent.try_tell(Note).expect("there is room")),
        };
        agent.purge(Key::of("note"));
    }
    drop(link);
    runtime.shutdown_blocking();
    Ok(took)
}

fn peers_both(calls: u64) -> Result<Duration, Fault> {
    let (limiter, breaker) = (governor::RateLimiter::direct(unreachable_quota()), failsafe_rate_breaker());
    Ok(time(calls, |number| {
        limiter.check().expect("the limit is not reached");
        failsafe_call(&breaker, number);
    }))
}

fn statim_policy() -> Policy {
    Policy::builder("callee")
        .rate_limit(unreachable_rate())
        .bulkhead(BulkheadOptions::default())
        .breaker(BreakerOptions::default())
        .build()
        .expect("the options are valid")
}

/// Polls a future that is ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing waits"),
    }
}

fn policy(calls: u64) -> Result<Duration, Fault> {
    let policy = statim_policy();
    let verdict = |result: &Result<u64, ()>| match result {
        Ok(_) => Verdict::Success,
        Err(()) => Verdict::Permanent,
    };
    Ok(time(calls, |number| {
        black_box(now(policy.call_judged(verdict, async || Ok(number))).expect("nothing fails"));
    }))
}

fn policy_enter(calls: u64) -> Result<Duration, Fault> {
    let policy = statim_policy();
    Ok(time(calls, |_| policy.try_enter().expect("nothing is refused").success()))
}

fn tower_limit(calls: u64) -> Result<Duration, Fault> {
    tower(calls, |empty| ServiceBuilder::new().rate_limit(u64::MAX, Duration::from_secs(1)).service(empty))
}

fn tower_limits(calls: u64) -> Result<Duration, Fault> {
    tower(calls, |empty| {
        ServiceBuilder::new()
            .rate_limit(u64::MAX, Duration::from_secs(1))
            .concurrency_limit(25)
            .service(empty)
    })
}

fn tower_bare(calls: u64) -> Result<Duration, Fault> {
    tower(calls, |empty| empty)
}

type Empty = tower::util::ServiceFn<fn(u64) -> std::future::Ready<Result<u64, ()>>>;

fn tower<S: Service<u64>>(calls: u64, build: impl FnOnce(Empty) -> S) -> Result<Duration, Fault> {
    // A rate limit makes a timer when it is built.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Fault::Start(error.to_string()))?;
    let _inside = runtime.enter();
    let mut service = build(tower::service_fn(|number| std::future::ready(Ok(number))));
    let mut context = Context::from_waker(Waker::noop());
    Ok(time(calls, |number| {
        assert!(service.poll_ready(&mut context).is_ready(), "nothing waits");
        black_box(now(service.call(number)).is_ok());
    }))
}

fn admission(calls: u64) -> Result<Duration, Fault> {
    let admission = AdmissionController::new("intake", &AdmissionOptions::default(), &Environment::default())
        .expect("the options are valid");
    Ok(time(calls, |_| {
        admission.admit(Priority::Normal).expect("nothing waits");
        admission.observe(Priority::Normal, Duration::from_micros(10));
    }))
}
