use super::made::*;
use crate::analysis::BottleneckKind::*;
use crate::analysis::evidence::*;
use crate::analysis::limits::*;
use crate::analysis::{Gained, analyse};
use crate::mailbox::Reason;
use crate::message::Priority;

fn link(from: &str, to: &str, offered: u64) -> LinkEvidence {
    LinkEvidence {
        from: from.to_owned(),
        to: to.to_owned(),
        offered,
        passed: offered,
        circuit_open: 0,
        limited: 0,
        failed: 0,
        breaker: None,
        opened: 0,
        retries: 0,
    }
}

/// A saturated agent whose handlers take 90 s of 100.
fn hot() -> Evidence {
    of([busy("worker", 0.9)])
}

#[test]
fn an_agent_is_saturated_from_its_limit_on_and_not_before() {
    assert_eq!(found(&of([busy("worker", SATURATED)])), [(Agent, "worker".to_owned())]);
    assert!(kinds(&of([busy("worker", SATURATED - 0.01)])).is_empty());
}

#[test]
fn a_pool_of_instances_has_as_much_more_time() {
    let mut pool = busy("pool", 0.9);
    pool.instances = 4;
    assert!(kinds(&of([pool])).is_empty());
}

#[test]
fn long_waits_make_a_half_busy_agent_saturated_and_an_idle_one_not() {
    let waiting = |utilization: f64, times: f64| {
        let count = (utilization * SECONDS / 0.01) as u64;
        of([agent("worker", count, 0.01 * times, 0.01)])
    };
    assert_eq!(kinds(&waiting(HALF_BUSY, LONG_WAIT)), [Agent]);
    assert!(kinds(&waiting(HALF_BUSY, LONG_WAIT - 0.1)).is_empty());
    assert!(kinds(&waiting(HALF_BUSY - 0.02, LONG_WAIT)).is_empty());
}

#[test]
fn too_few_messages_say_nothing() {
    let slow = |count: u64| of([agent("worker", count, 0.0, SECONDS / count as f64)]);
    assert!(kinds(&slow(FEWEST - 1)).is_empty());
    assert_eq!(kinds(&slow(FEWEST)), [Agent]);
}

#[test]
fn of_an_asker_and_whom_it_waits_for_the_asked_is_named() {
    // The front has nothing to do but to ask: 9 of its 10 ms are the answer's.
    let chain =
        [agent("front", 9_000, 0.5, 0.010), agent("slow", 9_000, 0.000_1, 0.008_9), busy("other", 0.3)];
    let analysis = analyse(&of(chain.clone()));
    let first = &analysis.bottlenecks[0];
    assert_eq!((first.kind, first.resource.as_str()), (Agent, "slow"));
    assert!(
        first.evidence.iter().any(|it| it.what.contains("front") && it.what.contains("concluded")),
        "{first:?}"
    );
    assert!(analysis.bottlenecks.iter().all(|it| it.resource != "front"), "{:?}", analysis.bottlenecks);
    // The same by a link, which knows.
    let mut linked = of(chain);
    linked.links.push(link("front", "slow", 9_000));
    let first = &analyse(&linked).bottlenecks[0];
    assert!(first.resource == "slow" && first.evidence.iter().any(|it| it.what.contains("by their link")));
}

#[test]
fn an_agent_that_passes_on_is_not_taken_for_one_that_asks() {
    // Told, not asked: the second is slower than the first, and queues for itself.
    let chain = of([agent("first", 9_000, 0.1, 0.009), agent("second", 9_000, 4.0, 0.010)]);
    let found = found(&chain);
    assert_eq!(found[0], (Agent, "second".to_owned()));
    assert!(found.contains(&(Agent, "first".to_owned())), "{found:?}");
}

#[test]
fn one_member_with_most_of_the_work_of_a_pool_is_told_as_such() {
    let pool = |others: f64| of([busy("pool/0", 0.9), busy("pool/1", others), busy("pool/2", others)]);
    assert_eq!(found(&pool(0.9 / SKEWED)), [(HotMember, "pool/0".to_owned())]);
    assert_eq!(found(&pool(0.32)), [(Agent, "pool/0".to_owned())]);
}

#[test]
fn waits_for_connections_are_named_before_the_agent_that_waits() {
    let waiting = |part: f64| {
        let seconds = 90.0 * part;
        with_store(hot(), StoreEvidence { pool: waits(9_000, seconds / 9_000.0), ..store() })
    };
    let analysis = analyse(&waiting(0.8));
    let named: Vec<_> = analysis.bottlenecks.iter().map(|it| (it.kind, it.resource.as_str())).collect();
    assert_eq!(named, [(Pool, "store")]);
    let gain = &analysis.bottlenecks[0].gain;
    // Amdahl: 0.8 of the time gone is five times as much, half of it is 1.67 times.
    assert!((gain.high - 4.0).abs() < 0.05 && (gain.low - 0.667).abs() < 0.01, "{gain:?}");
    assert_eq!(kinds(&waiting(WORTH_IT + 0.001)), [Agent, Pool]);
    assert_eq!(kinds(&waiting(WORTH_IT - 0.01)), [Agent]);
}

#[test]
fn callers_that_gave_up_waiting_are_named_although_nobody_else_waits() {
    let store = StoreEvidence { timeouts: 3, ..store() };
    assert_eq!(kinds(&with_store(of([busy("worker", 0.1)]), store)), [Pool]);
}

#[test]
fn waits_for_the_turn_to_write_are_named_with_what_helps() {
    let writing =
        |count: u64| with_store(hot(), StoreEvidence { turns: waits(count, 70.0 / count as f64), ..store() });
    let advice = |evidence: &Evidence| {
        let analysis = analyse(evidence);
        assert_eq!(analysis.bottlenecks[0].kind, WriteTurn);
        analysis.bottlenecks[0].advice.clone()
    };
    // 100 s over 1,000 turns: each is held for long. Over 100,000: short, and many.
    assert!(advice(&writing(1_000)).contains("for less"));
    assert!(advice(&writing(100_000)).contains("in batches"));
}

#[test]
fn statements_are_named_from_half_of_the_time_on() {
    let working = |part: f64| with_store(hot(), StoreEvidence { statement_seconds: 90.0 * part, ..store() });
    assert_eq!(kinds(&working(MOSTLY + 0.01))[0], Statements);
    assert_eq!(kinds(&working(MOSTLY - 0.01)), [Agent]);
}

#[test]
fn an_agent_is_not_excused_by_what_may_be_another_ones_waits() {
    let mut readers = agent("readers", 20_000, 0.0, 0.01);
    readers.instances = 4;
    let working = |seconds: f64| {
        let statements = StoreEvidence { statement_seconds: seconds, ..store() };
        found(&with_store(of([busy("worker", 0.9), readers.clone()]), statements))
    };
    // 195 s of statements fit into the 200 s of the readers.
    assert_eq!(working(195.0), [(Agent, "worker".to_owned()), (Statements, "store".to_owned())]);
    // Of 260 s, 60 are the worker's whatever the readers do.
    assert_eq!(working(260.0), [(Statements, "store".to_owned())]);
}

fn cached(queries: u64, loads: u64, load_seconds: f64, evictions: u64) -> Evidence {
    let cache = CacheEvidence { queries, loads, load_seconds, evictions, ..CacheEvidence::default() };
    Evidence { cache: Some(cache), ..hot() }
}

#[test]
fn a_cache_that_misses_is_named_and_its_statements_are_not() {
    let mut evidence = with_store(
        cached(9_000, 9_000, 80.0, 0),
        StoreEvidence { statement_seconds: 75.0, statements: 9_000, ..store() },
    );
    assert_eq!(found(&evidence), [(Cache, "query cache".to_owned())]);
    let analysis = analyse(&evidence);
    assert!(analysis.bottlenecks[0].advice.contains("what repeats"), "{}", analysis.bottlenecks[0].advice);
    assert_eq!(analysis.bottlenecks[0].gain.low, 0.0);
    evidence.cache.as_mut().unwrap().evictions = 8_900;
    assert!(analyse(&evidence).bottlenecks[0].advice.contains("more bytes"));
}

#[test]
fn a_cache_that_hits_half_of_the_time_or_costs_little_is_left_alone() {
    assert_eq!(kinds(&cached(1_000, 501, 60.0, 0))[0], Cache);
    assert_eq!(kinds(&cached(1_000, 500, 60.0, 0)), [Agent]);
    assert_eq!(kinds(&cached(9_000, 9_000, 90.0 * (WORTH_IT - 0.01), 0)), [Agent]);
    assert_eq!(kinds(&cached(FEWEST - 1, FEWEST - 1, 80.0, 0)), [Agent]);
}

/// A handler of 200 ms, busy half of the time, beside an agent that hardly works and waits 50 ms.
fn blocked(beside: Vec<u32>, wait: f64) -> Evidence {
    let mut blocker = agent("blocker", 250, 0.01, 0.2);
    let mut victim = agent("victim", 10_000, wait, 0.000_05);
    blocker.arbiters = vec![1];
    victim.arbiters = beside;
    of([blocker, victim, busy("elsewhere", 0.3)])
}

#[test]
fn a_handler_that_holds_its_thread_is_named_by_its_neighbours_waits() {
    let analysis = analyse(&blocked(vec![1], 0.05));
    let first = &analysis.bottlenecks[0];
    assert_eq!((first.kind, first.resource.as_str()), (HeldThread, "blocker"));
    assert_eq!(first.gain.of, Gained::ResponseTime);
    assert!(kinds(&blocked(vec![2], 0.05)).is_empty(), "it is on another thread");
    assert!(kinds(&blocked(vec![1], 0.004)).is_empty(), "that is nothing to wait");
    // Where no arbiters are told, the times have to do.
    assert_eq!(found(&blocked(vec![], 0.05)), [(HeldThread, "blocker".to_owned())]);
    // A wait that a handler of 200 ms does not explain is not blamed on it.
    assert!(!kinds(&blocked(vec![1], 3.0)).contains(&HeldThread));
}

#[test]
fn an_open_breaker_names_the_agent_behind_it_and_not_those_before() {
    let failing = |refused: u64| {
        let mut behind = agent("registry", 1_000, 0.0, 0.001);
        (behind.handled, behind.failed) = (100, 900);
        let mut before = agent("front", 10_000, 0.0, 0.001);
        (before.handled, before.failed) = (10_000 - refused, refused);
        let link = LinkEvidence { circuit_open: refused, opened: 3, ..link("front", "registry", 10_000) };
        Evidence { links: vec![link], ..of([before, behind]) }
    };
    assert_eq!(found(&failing(9_000)), [(Breaker, "registry".to_owned())]);
    let below = (10_000.0 * LOST) as u64 - 1;
    assert_eq!(found(&failing(below)), [(Failures, "registry".to_owned())]);
}

#[test]
fn limits_and_repetitions_of_a_link_are_named_from_their_limit_on() {
    let with = |limited: u64, retries: u64| {
        let link = LinkEvidence { limited, retries, ..link("front", "back", 1_000) };
        kinds(&Evidence { links: vec![link], ..of([busy("front", 0.2), busy("back", 0.2)]) })
    };
    assert_eq!(with(10, 0), [LinkLimit]);
    assert!(with(9, 99).is_empty());
    assert_eq!(with(0, 100), [Retries]);
}

#[test]
fn failures_are_named_from_one_in_a_hundred_on() {
    let failing = |failed: u64| {
        let mut agent = agent("worker", 10_000, 0.0, 0.001);
        (agent.handled, agent.failed) = (10_000 - failed, failed);
        kinds(&of([agent]))
    };
    assert_eq!(failing(100), [Failures]);
    assert!(failing(99).is_empty());
}

#[test]
fn a_mailbox_that_sheds_is_too_small_only_if_its_agent_has_time_left() {
    let shedding = |utilization: f64| {
        let mut agent = busy("worker", utilization);
        agent.dropped.insert(Reason::Shed, 500);
        found(&of([agent]))
    };
    assert_eq!(shedding(0.3), [(Mailbox, "worker".to_owned())]);
    assert_eq!(shedding(0.95), [(Agent, "worker".to_owned())]);
    let mut purged = busy("worker", 0.3);
    purged.dropped.insert(Reason::Purged, 500);
    assert!(kinds(&of([purged])).is_empty(), "somebody wanted those gone");
}

#[test]
fn urgency_that_most_messages_claim_is_told_after_what_makes_them_wait() {
    let claiming = |urgent: u64| {
        let mut agent = busy("worker", 0.95);
        let lane = agent.lanes[&Priority::Normal];
        let all = lane.count;
        agent.lanes = [
            (Priority::Critical, Lane { count: all * urgent / 100, ..lane }),
            (Priority::Low, Lane { count: all * (100 - urgent) / 100, ..lane }),
        ]
        .into();
        kinds(&of([agent]))
    };
    assert_eq!(claiming(51), [Agent, Urgency]);
    assert_eq!(claiming(50), [Agent]);
}

fn on(system: SystemEvidence, utilization: f64) -> Vec<crate::analysis::BottleneckKind> {
    kinds(&Evidence { system: Some(system), ..of([busy("worker", utilization)]) })
}

#[test]
fn a_resource_at_its_limit_is_a_bottleneck_only_if_somebody_waits() {
    let cpu = |cpu: f64| SystemEvidence { cpu: Some(cpu), ..SystemEvidence::default() };
    assert!(on(cpu(CPU_FULL), 0.9).contains(&Cpu));
    assert!(!on(cpu(CPU_FULL - 0.01), 0.9).contains(&Cpu));
    assert!(on(cpu(1.0), 0.4).is_empty());
    let throttled = |part: f64| SystemEvidence { throttled: Some(part), ..SystemEvidence::default() };
    assert!(on(throttled(THROTTLED), 0.9).contains(&Throttling));
    assert!(!on(throttled(THROTTLED - 0.01), 0.9).contains(&Throttling));
    let memory = |part: f64| SystemEvidence {
        memory_bytes: Some((part * 1e9) as u64),
        memory_limit_bytes: Some(1_000_000_000),
        ..SystemEvidence::default()
    };
    assert!(on(memory(MEMORY_FULL), 0.9).contains(&Memory));
    assert!(!on(memory(MEMORY_FULL - 0.01), 0.9).contains(&Memory));
    assert!(on(memory(0.99), 0.4).is_empty());
    let killed = SystemEvidence { oom_kills: 1, ..memory(0.2) };
    assert_eq!(on(killed, 0.1), [Memory], "that is a bottleneck whoever waits");
    let stalled = |is_own: bool| SystemEvidence {
        memory_pressure: Some(MEMORY_STALLED),
        pressure_is_own: is_own,
        ..memory(0.2)
    };
    assert!(on(stalled(true), 0.9).contains(&Memory));
    assert!(!on(stalled(false), 0.9).contains(&Memory), "the host's stalls are not this process's");
}

#[test]
fn a_disk_is_blamed_only_for_work_on_it() {
    let system = SystemEvidence { io_pressure: Some(IO_STALLED), ..SystemEvidence::default() };
    let with = |seconds: f64| {
        let evidence = Evidence { system: Some(system), ..hot() };
        kinds(&with_store(evidence, StoreEvidence { statement_seconds: seconds, ..store() }))
    };
    assert!(with(40.0).contains(&Disk));
    assert!(!with(1.0).contains(&Disk));
}

#[test]
fn a_generator_that_was_late_comes_before_everything() {
    let load = LoadEvidence {
        generator: GeneratorEvidence { lag_p99: 0.5, bound: 0.01, passed: false },
        ..LoadEvidence::default()
    };
    let evidence = Evidence { load: Some(load), ..hot() };
    assert_eq!(kinds(&evidence), [Generator, Agent]);
}

#[test]
fn a_healthy_system_names_nothing_and_says_what_is_closest() {
    let system = SystemEvidence { cpu: Some(0.4), cpu_cores: Some(2.0), ..SystemEvidence::default() };
    let healthy = Evidence { system: Some(system), ..of([busy("worker", 0.4), busy("other", 0.1)]) };
    let analysis = analyse(&with_store(healthy, store()));
    assert!(
        analysis.verdict.healthy && analysis.bottlenecks.is_empty() && analysis.recommendations.is_empty()
    );
    assert!(analysis.verdict.headline.starts_with("No bottleneck found."), "{}", analysis.verdict.headline);
    let closest = &analysis.headroom[0];
    assert!(closest.resource.contains("worker") && (closest.times - 2.0).abs() < 0.01, "{closest:?}");
}

#[test]
fn a_missed_target_is_no_health_even_if_nothing_explains_it() {
    let target =
        TargetEvidence { wanted: "p99 < 5ms".to_owned(), observed: "9 ms".to_owned(), met: Some(false) };
    let load = LoadEvidence {
        targets: vec![target],
        generator: GeneratorEvidence { passed: true, ..GeneratorEvidence::default() },
        ..LoadEvidence::default()
    };
    let analysis = analyse(&Evidence { load: Some(load), ..of([busy("worker", 0.1)]) });
    assert!(analysis.bottlenecks.is_empty() && !analysis.verdict.healthy);
    assert!(analysis.verdict.details.iter().any(|it| it.contains("not explained")));
}

#[test]
fn no_gain_is_beyond_the_next_limit() {
    let mut evidence = with_store(hot(), StoreEvidence { pool: waits(9_000, 81.0 / 9_000.0), ..store() });
    // Nine tenths of the time gone would be ten times as much; the processors allow for 1.25 times.
    evidence.system = Some(SystemEvidence { cpu: Some(0.8), ..SystemEvidence::default() });
    let gain = &analyse(&evidence).bottlenecks[0].gain;
    assert!((gain.high - 0.25).abs() < 1e-9 && gain.low <= gain.high, "{gain:?}");
}
