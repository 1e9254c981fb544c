//! Who is told, and when: grouping, silences, repetition, acknowledgement, escalation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Alert, Event};
use super::group::{Acknowledgement, GroupKey, Member};
use super::incident::dedup_key;
use super::labels::Labels;
use super::notification::{Notice, Notification, Why};
use super::routing::{DispatchOptions, EscalationStep, everybody_if_none, group_of};
use super::silence::{Silence, SilenceFault, Silences};
use super::time::Moment;

/// Most notices in a notification.
const MOST_NOTICES: usize = 100;

/// Nothing fires under this key that somebody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing fires under this key that somebody was told of; see what fires now")]
pub struct NotFiring;

/// Decides who is told: a state machine over the engine's events and time, without a clock or I/O of its own.
///
/// - Nobody is told of anything pending.
/// - Whoever was told that something fires is told once that it is over, silence or not; who was not, is not.
/// - Of one key nobody is told twice that it fires without being told in between that it is over (a repetition is marked as
///   one). What is over and fires again within a group's interval was never over, as far as anybody is told.
/// - A watchdog waits for nobody and cannot be silenced: its silence would be taken for an outage.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    options: DispatchOptions,
    state: DispatcherSnapshot,
}

/// The whole state of a [`Dispatcher`], for any serde format that describes itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatcherSnapshot {
    members: BTreeMap<String, Member>,
    /// When each group was last told something.
    groups: Vec<(GroupKey, Moment)>,
    silences: Silences,
    sequence: u64,
    last: Moment,
}

impl Dispatcher {
    /// A dispatcher that has told nobody anything.
    #[must_use]
    pub fn new(options: DispatchOptions) -> Self {
        Self::restore(options, DispatcherSnapshot::default())
    }

    /// Goes on where the dispatcher of the snapshot stopped.
    #[must_use]
    pub fn restore(options: DispatchOptions, snapshot: DispatcherSnapshot) -> Self {
        let mut dispatcher = Self { options: DispatchOptions::default(), state: snapshot };
        dispatcher.reload(options);
        dispatcher
    }

    /// The whole state, as it is to be held over a restart.
    #[must_use]
    pub fn snapshot(&self) -> DispatcherSnapshot {
        self.state.clone()
    }

    /// Works otherwise from now on. What was told stays told; a sink that is new hears of what fires.
    pub fn reload(&mut self, options: DispatchOptions) {
        self.options = options;
        self.options.escalation.sort_by_key(|step| step.after);
        let Self { options, state } = self;
        for member in state.members.values_mut() {
            member.group = group_of(options, &member.alert).unwrap_or_else(|| member.group.clone());
            // Who is no more cannot be told that it is over.
            member.told.retain(|sink| options.sinks.contains(sink));
        }
        self.forget_groups();
    }

    /// Takes in what an evaluation found and says what is to be sent now. Call it after every evaluation, with no events
    /// too: time alone makes things due.
    pub fn step(&mut self, events: &[Event], now: Moment) -> Vec<Notification> {
        let now = now.max(self.state.last);
        self.state.last = now;
        for event in events {
            match event {
                Event::Fired(alert) => self.fired(alert, now),
                // What a rule tells nobody of, or told nobody of before it was changed, is not a member.
                Event::StillFiring(alert) => self.still_firing(alert, now),
                Event::Resolved(alert, _) => self.resolved(alert, now),
                _ => {}
            }
        }
        let mut notifications = Vec::new();
        for (group, keys) in self.groups() {
            self.tell_group(&group, &keys, now, &mut notifications);
        }
        self.escalate(now, &mut notifications);
        self.forget_groups();
        notifications
    }

    /// Says who looks after an alert that fires: nobody is told again, and it goes no further up. Ends when it is over.
    /// The notification tells those who were told; none, if somebody had acknowledged it before.
    ///
    /// # Errors
    ///
    /// When nothing fires under this key that somebody was told of.
    pub fn acknowledge(
        &mut self,
        key: &str,
        by: &str,
        now: Moment,
    ) -> Result<Option<Notification>, NotFiring> {
        let now = now.max(self.state.last);
        let member = self.state.members.get_mut(key).filter(|it| it.firing && !it.told.is_empty());
        let member = member.ok_or(NotFiring)?;
        if member.acknowledged.is_some() {
            return Ok(None);
        }
        member.acknowledged = Some(Acknowledgement { by: by.to_owned(), at: now });
        let (group, sinks) = (member.group.clone(), member.told.iter().cloned().collect());
        let notice = member.notice(true);
        Ok(Some(self.notification(Why::Acknowledged, &group, sinks, vec![notice], now)))
    }

    /// Who has acknowledged the alert of this key, if somebody has.
    #[must_use]
    pub fn acknowledged(&self, key: &str) -> Option<&Acknowledgement> {
        self.state.members.get(key)?.acknowledged.as_ref()
    }

    /// The sinks that were told of the alert of this key, or are being told, and since when somebody is.
    pub fn told_of(&self, key: &str) -> (impl Iterator<Item = &str>, Option<Moment>) {
        let member = self.state.members.get(key);
        let told = member.into_iter().flat_map(|it| it.told.iter().map(String::as_str));
        (told, member.and_then(|it| it.told_at))
    }

    /// Adds a silence; it takes the place of one with its id.
    ///
    /// # Errors
    ///
    /// When it makes no sense, or there are too many.
    pub fn silence(&mut self, silence: Silence, now: Moment) -> Result<(), SilenceFault> {
        self.state.silences.add(silence, now)
    }

    /// Ends a silence. Whether there was one of this id.
    pub fn lift_silence(&mut self, id: &str, now: Moment) -> bool {
        self.state.silences.lift(id, now)
    }

    /// The silences.
    #[must_use]
    pub const fn silences(&self) -> &Silences {
        &self.state.silences
    }

    fn fired(&mut self, alert: &Alert, now: Moment) {
        let Some(group) = group_of(&self.options, alert) else { return };
        match self.state.members.get_mut(&alert.dedup_key) {
            // Nobody was told that it was over: as far as they know it goes on.
            Some(member) => {
                (member.alert, member.group) = (alert.clone(), group);
                (member.firing, member.changed) = (true, now);
            }
            None => {
                let member = Member {
                    group,
                    alert: alert.clone(),
                    firing: true,
                    changed: now,
                    told: Default::default(),
                    told_at: None,
                    said: now,
                    acknowledged: None,
                    escalated: 0,
                };
                self.state.members.insert(alert.dedup_key.clone(), member);
            }
        }
    }

    fn still_firing(&mut self, alert: &Alert, now: Moment) {
        match (self.state.members.get_mut(&alert.dedup_key), group_of(&self.options, alert)) {
            (Some(member), Some(group)) if member.firing => {
                (member.alert, member.group) = (alert.clone(), group);
            }
            (_, Some(_)) => self.fired(alert, now),
            (_, None) => {}
        }
    }

    fn resolved(&mut self, alert: &Alert, now: Moment) {
        let Some(member) = self.state.members.get_mut(&alert.dedup_key) else { return };
        if member.told.is_empty() {
            self.state.members.remove(&alert.dedup_key);
        } else {
            member.alert = alert.clone();
            (member.firing, member.changed) = (false, now);
        }
    }

    fn groups(&self) -> BTreeMap<GroupKey, Vec<String>> {
        let mut groups: BTreeMap<GroupKey, Vec<String>> = BTreeMap::new();
        for (key, member) in &self.state.members {
            groups.entry(member.group.clone()).or_default().push(key.clone());
        }
        groups
    }

    fn is_silenced(&self, alert: &Alert, now: Moment) -> bool {
        !alert.watchdog && self.state.silences.covering(&alert.labels, now).is_some()
    }

    fn tell_group(&mut self, group: &GroupKey, keys: &[String], now: Moment, to: &mut Vec<Notification>) {
        let (mut news, mut late, mut over, mut known) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut since, mut repeat) = (None::<Moment>, false);
        for key in keys {
            let Some(member) = self.state.members.get(key) else { continue };
            let waits = if !member.firing {
                over.push(key);
                true
            } else if self.is_silenced(&member.alert, now) {
                false
            } else if member.is_news() {
                if member.is_known_to_group() { &mut late } else { &mut news }.push(key);
                true
            } else {
                repeat |= member.is_repeat_due(now);
                known.push(key);
                false
            };
            if waits {
                since = Some(since.map_or(member.changed, |it| it.min(member.changed)));
            }
        }
        let last = self.state.groups.iter().find(|(key, _)| key == group).map(|(_, last)| *last);
        let DispatchOptions { wait, interval, .. } = self.options;
        let due = since.is_some_and(|since| group.due(since, last, wait, interval) <= now);
        let why = match (due, news.is_empty(), repeat) {
            (false, _, false) => return,
            (false, _, true) if group.watchdog.is_some() => Why::Heartbeat,
            (false, _, true) => Why::Repeat,
            (true, true, _) => Why::Resolved,
            (true, false, _) => Why::Fired,
        };
        if due {
            self.tell_others(group, &over, now, to);
            self.tell_late(group, &late, now, to);
        } else {
            news.clear();
            over.clear();
        }
        self.told(group, now);
        if due && news.is_empty() && over.is_empty() {
            return;
        }
        let mut notices: Vec<Notice> = Vec::new();
        for (keys, new) in [(&news, true), (&over, true), (&known, false)] {
            // Of those told before by an escalation only, the group's sinks know nothing.
            let known_here = |it: &&Member| it.firing || it.is_known_to_group();
            let members = keys.iter().filter_map(|key| self.state.members.get(*key)).filter(known_here);
            notices.extend(members.map(|it| it.notice(new)));
        }
        self.send(why, group, notices, now, to);
        for key in news.iter().chain(&known) {
            if let Some(member) = self.state.members.get_mut(*key) {
                member.tell(&group.sinks, now);
            }
        }
        for key in over {
            self.state.members.remove(key);
        }
    }

    /// Remembers when the group was last told something.
    fn told(&mut self, group: &GroupKey, now: Moment) {
        match self.state.groups.iter_mut().find(|(key, _)| key == group) {
            Some((_, last)) => *last = now,
            None => self.state.groups.push((group.clone(), now)),
        }
    }

    /// Tells those outside the group who were told, by an escalation or before a reload, that it is over.
    fn tell_others(&mut self, group: &GroupKey, over: &[&String], now: Moment, to: &mut Vec<Notification>) {
        for key in over {
            let Some(member) = self.state.members.get(*key) else { continue };
            let others: Vec<String> =
                member.told.iter().filter(|sink| !group.sinks.contains(sink)).cloned().collect();
            if !others.is_empty() {
                let notice = member.notice(true);
                to.push(self.notification(Why::Resolved, group, others, vec![notice], now));
            }
        }
    }

    /// Tells those sinks of the group that were not told with the others: they are new.
    fn tell_late(&mut self, group: &GroupKey, late: &[&String], now: Moment, to: &mut Vec<Notification>) {
        for key in late {
            let Some(member) = self.state.members.get_mut(*key) else { continue };
            let sinks: Vec<String> =
                group.sinks.iter().filter(|sink| !member.told.contains(*sink)).cloned().collect();
            member.tell(&sinks, now);
            let notice = member.notice(true);
            to.push(self.notification(Why::Fired, group, sinks, vec![notice], now));
        }
    }

    /// As many notifications as it takes to say everything new; what goes on fills the last.
    fn send(
        &mut self,
        why: Why,
        group: &GroupKey,
        mut notices: Vec<Notice>,
        now: Moment,
        to: &mut Vec<Notification>,
    ) {
        while !notices.is_empty() {
            let rest = notices.split_off(notices.len().min(MOST_NOTICES));
            let mut notification = self.notification(why, group, group.sinks.clone(), notices, now);
            if rest.first().is_some_and(|it| it.new) {
                notices = rest;
            } else {
                notification.more = rest.len();
                notices = Vec::new();
            }
            to.push(notification);
        }
    }

    fn escalate(&mut self, now: Moment, to: &mut Vec<Notification>) {
        let keys: Vec<String> = self.state.members.keys().cloned().collect();
        for key in keys {
            let Some(member) = self.state.members.get(&key) else { continue };
            let Some(told_at) = member.told_at else { continue };
            let quiet = !member.firing || member.acknowledged.is_some() || member.alert.watchdog;
            if quiet || self.is_silenced(&member.alert, now) {
                continue;
            }
            let (severity, taken, group) = (member.alert.severity, member.escalated, member.group.clone());
            let due: Vec<(usize, EscalationStep)> = self
                .options
                .escalation
                .iter()
                .cloned()
                .enumerate()
                .skip(taken)
                .take_while(|(_, step)| now.since(told_at) >= step.after)
                .collect();
            for (index, step) in due {
                let Some(member) = self.state.members.get_mut(&key) else { break };
                member.escalated = index + 1;
                if severity < step.least {
                    continue;
                }
                let sinks = everybody_if_none(&step.sinks, &self.options.sinks);
                let new = !sinks.iter().all(|sink| member.told.contains(sink));
                let notice = member.notice(new);
                member.tell(&sinks, now);
                to.push(self.notification(Why::Escalation(index + 1), &group, sinks, vec![notice], now));
            }
        }
    }

    fn notification(
        &mut self,
        why: Why,
        group: &GroupKey,
        sinks: Vec<String>,
        notices: Vec<Notice>,
        now: Moment,
    ) -> Notification {
        self.state.sequence += 1;
        let group_key = group.text();
        let hash = dedup_key("notification", &group_key, &Labels::none());
        // The time tells it apart from those of a state that was lost.
        let id = format!("{hash}-{}-{}", now.millis(), self.state.sequence);
        let group_labels = group.labels.clone();
        Notification { id, at: now, why, sinks, group_key, group_labels, notices, more: 0 }
    }

    fn forget_groups(&mut self) {
        let DispatcherSnapshot { members, groups, .. } = &mut self.state;
        groups.retain(|(group, _)| members.values().any(|member| member.group == *group));
    }
}
