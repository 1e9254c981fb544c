//! The decision, as a pure function: no clock, no disk, no panic.

use jiff::Timestamp;

use super::model::{
    AccessRequest, Actor, Consents, CurrentProvision, Decision, Effect, Outcome, Reason, RuleView, check_code,
};

/// Whether `request` is permitted at `now` by what its patient agreed to; the policy is in the
/// [module's documentation](super).
///
/// `consents` must be those of the request's patient; a provision of somebody else's is left out of account.
#[must_use]
pub fn decide(consents: &Consents, request: &AccessRequest, now: Timestamp) -> Decision {
    let (reason, provision) = judge(consents, request, now);
    Decision {
        outcome: if reason == Reason::Permitted { Outcome::Permit } else { Outcome::Deny },
        reason,
        provision: provision.map(|it| it.provision.id.clone()),
        consent_version: consents.version,
        decided_at: now,
    }
}

fn judge<'a>(
    consents: &'a Consents,
    request: &AccessRequest,
    now: Timestamp,
) -> (Reason, Option<&'a CurrentProvision>) {
    if !makes_sense(request) {
        return (Reason::EvaluatorError, None);
    }
    if consents.withheld {
        return (Reason::Revoked, None);
    }
    let mut strongest: Option<(Reason, &CurrentProvision)> = None;
    for held in consents.provisions.iter().filter(|it| it.provision.patient == request.patient) {
        let Some(reason) = verdict(held, request, now) else { continue };
        // Of equally strong ones the latest is named.
        let key = |reason: Reason, held: &CurrentProvision| (strength(reason), held.seq);
        if strongest.is_none_or(|(other, by)| key(reason, held) > key(other, by)) {
            strongest = Some((reason, held));
        }
    }
    strongest.map_or((Reason::NoConsent, None), |(reason, held)| (reason, Some(held)))
}

fn makes_sense(request: &AccessRequest) -> bool {
    let AccessRequest { patient, actor: _, purpose, data_type } = request;
    [patient.expose(), purpose.as_str(), data_type.as_str()].iter().all(|code| check_code("", code).is_ok())
}

/// Which reason outweighs which. Denial overrides permission, and a permission in force outweighs one that is not.
fn strength(reason: Reason) -> u8 {
    match reason {
        Reason::EvaluatorError => 6,
        Reason::DeniedByProvision => 5,
        Reason::Permitted => 4,
        Reason::Revoked => 3,
        Reason::Expired => 2,
        Reason::NotYetInForce => 1,
        Reason::NoConsent => 0,
    }
}

/// What one provision has to say, if anything.
fn verdict(held: &CurrentProvision, request: &AccessRequest, now: Timestamp) -> Option<Reason> {
    if held.provision.check().is_err() {
        return Some(Reason::EvaluatorError);
    }
    let root = held.provision.root();
    if !speaks_of(root, request) {
        return None;
    }
    if root.period.is_over(now) {
        return Some(Reason::Expired);
    }
    if root.period.is_ahead(now) {
        return Some(Reason::NotYetInForce);
    }
    let (_, effect) = deepest(root, request, now)?;
    Some(match (effect, held.revoked) {
        (Effect::Deny, _) => Reason::DeniedByProvision,
        (Effect::Permit, true) => Reason::Revoked,
        (Effect::Permit, false) => Reason::Permitted,
    })
}

/// The deepest rule that matches, as its depth and effect; denial between equally deep ones. The depth of recursion is
/// bounded by the check before.
fn deepest(rule: RuleView<'_>, request: &AccessRequest, now: Timestamp) -> Option<(usize, Effect)> {
    if !(speaks_of(rule, request) && rule.period.contains(now)) {
        return None;
    }
    let mut best = (0, rule.effect);
    for (depth, effect) in rule.exceptions.iter().filter_map(|it| deepest(it.view(), request, now)) {
        let depth = depth + 1;
        if depth > best.0 || (depth == best.0 && effect == Effect::Deny) {
            best = (depth, effect);
        }
    }
    Some(best)
}

/// Whether the rule matches in everything but time.
fn speaks_of(rule: RuleView<'_>, request: &AccessRequest) -> bool {
    (rule.purposes.is_empty() || rule.purposes.contains(&request.purpose))
        && (rule.data_types.is_empty() || rule.data_types.contains(&request.data_type))
        && match rule.effect {
            Effect::Permit => {
                request.actor != Actor::Unresolved
                    && (rule.actors.is_empty() || rule.actors.contains(&request.actor))
            }
            Effect::Deny => {
                rule.actors.is_empty()
                    || request.actor == Actor::Unresolved
                    || rule.actors.contains(&Actor::Unresolved)
                    || rule.actors.contains(&request.actor)
            }
        }
}
