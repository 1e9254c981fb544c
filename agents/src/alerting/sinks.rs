//! The sinks of a rule file, ready to send.

use std::fmt;
use std::sync::Arc;

use statim::alert::Labels;
use statim::alert::sink::{
    Address, Alertmanager, AlertmanagerOptions, HttpClient, HttpOptions, Log, Opsgenie, Origin, PagerDuty,
    Secret, Service, SigningKeys, Sink, SinkFault, Slack, Webhook,
};

use crate::config::alerts::{AlertsConfig, SecretSource, Sink as Described, SinkKind};
use crate::config::{Fault, Faults};

/// The label by which an Alertmanager tells deployments apart: its value is the namespace of the rule file.
const DEPLOYMENT: &str = "deployment";

/// The sinks that the rule file names, in its order. Reads every secret, and the system's certificate authorities: blocks.
///
/// What stands between is taken from the environment, as `HTTPS_PROXY` and `NO_PROXY` say.
///
/// # Errors
///
/// Every secret that is missing or cannot be right and every address that is none, with the line and field where the rule
/// file speaks of it. None is repeated.
pub fn sinks(config: &AlertsConfig) -> Result<Vec<Arc<dyn Sink>>, Faults> {
    let mut opening = Opening { config, http: None, faults: Vec::new() };
    let sinks: Vec<_> = config.sinks.iter().filter_map(|sink| opening.open(sink)).collect();
    match opening.faults {
        faults if faults.is_empty() => Ok(sinks),
        faults => Err(Faults::of(config.origin().to_owned(), faults)),
    }
}

struct Opening<'c> {
    config: &'c AlertsConfig,
    /// Made for the first that needs it, and shared.
    http: Option<HttpClient>,
    faults: Vec<Fault>,
}

/// Noted among the faults.
struct Noted;

impl Opening<'_> {
    fn open(&mut self, sink: &Described) -> Option<Arc<dyn Sink>> {
        // Both are looked at, so that what is wrong with both is said at once.
        let addresses = self.addresses(sink);
        let secret = self.secret(sink.secret.as_ref());
        let (addresses, secret) = (addresses.ok()?, secret.ok()?);
        self.made(sink, addresses, secret).ok()
    }

    fn made(
        &mut self,
        sink: &Described,
        mut addresses: Vec<Address>,
        secret: Option<Secret>,
    ) -> Result<Arc<dyn Sink>, Noted> {
        let name = sink.name.as_str();
        if sink.kind == SinkKind::Log {
            return Ok(Arc::new(Log::new(name)));
        }
        let http = self.http()?;
        if sink.kind == SinkKind::Alertmanager {
            let options = AlertmanagerOptions {
                resend: self.config.evaluation.resend,
                labels: self.labels(),
                token: secret,
                origin: self.origin(),
            };
            let made = Alertmanager::new(name, addresses, options, http);
            return Ok(Arc::new(made.map_err(|fault| self.wrong(sink, fault))?));
        }
        if addresses.len() > 1 {
            return Err(self.wrong_address(
                sink,
                &"names more than one address; only a cluster of Alertmanagers has them",
            ));
        }
        let (at, origin) = (addresses.pop(), self.origin());
        match (sink.kind, at, secret) {
            (SinkKind::Webhook, Some(at), secret) => {
                let keys = secret.map(|it| SigningKeys::parse(&it)).transpose();
                let keys = keys.map_err(|fault| self.wrong_key(sink, &fault))?;
                Ok(Arc::new(Webhook::new(name, at, keys, origin, http)))
            }
            (SinkKind::Slack, Some(at), _) => {
                let made = Slack::new(name, at, http);
                Ok(Arc::new(made.map_err(|fault| self.wrong(sink, fault))?))
            }
            (SinkKind::PagerDuty, at, Some(key)) => {
                let made = PagerDuty::new(name, key, at, origin, http);
                Ok(Arc::new(made.map_err(|fault| self.wrong(sink, fault))?))
            }
            (SinkKind::JiraServiceManagement, at, Some(key)) => {
                let made = Opsgenie::new(name, Service::JiraServiceManagement, key, at, origin, http);
                Ok(Arc::new(made.map_err(|fault| self.wrong(sink, fault))?))
            }
            (SinkKind::Opsgenie, at, Some(key)) => {
                let made = Opsgenie::new(name, Service::Opsgenie, key, at, origin, http);
                Ok(Arc::new(made.map_err(|fault| self.wrong(sink, fault))?))
            }
            // The rule file was refused without them.
            (SinkKind::PagerDuty | SinkKind::JiraServiceManagement | SinkKind::Opsgenie, _, None) => {
                Err(self.wrong_key(sink, &"is missing"))
            }
            _ => Err(self.wrong_address(sink, &"is missing")),
        }
    }

    fn addresses(&mut self, sink: &Described) -> Result<Vec<Address>, Noted> {
        let kept = self.secret(sink.address_secret.as_ref())?;
        let kept = kept.as_ref().map(|it| it.reveal().split_whitespace()).into_iter().flatten();
        let texts: Vec<&str> = sink.addresses.iter().map(String::as_str).chain(kept).collect();
        let addresses = texts.into_iter().map(Address::parse).collect::<Result<_, _>>();
        addresses.map_err(|fault| self.wrong_address(sink, &fault))
    }

    fn secret(&mut self, source: Option<&SecretSource>) -> Result<Option<Secret>, Noted> {
        let Some(source) = source else { return Ok(None) };
        match source.load() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(fault) => Err(self.note(source, &fault)),
        }
    }

    fn http(&mut self) -> Result<HttpClient, Noted> {
        if let Some(http) = &self.http {
            return Ok(http.clone());
        }
        match HttpClient::new(&HttpOptions::default()) {
            Ok(http) => Ok(self.http.insert(http).clone()),
            Err(fault) => {
                self.faults.push(Fault::file(format!("no sink can be reached: {fault}")));
                Err(Noted)
            }
        }
    }

    fn origin(&self) -> Origin {
        match self.config.evaluation.namespace.as_str() {
            "" => Origin::default(),
            name => Origin { name: name.to_owned(), ..Origin::default() },
        }
    }

    fn labels(&self) -> Labels {
        let namespace: String = self.config.evaluation.namespace.chars().take(64).collect();
        // Of a short name and value, which are allowed; an empty one is none.
        Labels::new([(DEPLOYMENT, namespace)]).unwrap_or_default()
    }

    fn wrong(&mut self, sink: &Described, fault: SinkFault) -> Noted {
        match fault {
            SinkFault::Key(_) => self.wrong_key(sink, &fault),
            _ => self.wrong_address(sink, &fault),
        }
    }

    fn wrong_key(&mut self, sink: &Described, fault: &dyn fmt::Display) -> Noted {
        match &sink.secret {
            Some(source) => self.note(source, fault),
            None => self.unwritten(sink, "secret_env", fault),
        }
    }

    fn wrong_address(&mut self, sink: &Described, fault: &dyn fmt::Display) -> Noted {
        match &sink.address_secret {
            Some(source) => self.note(source, fault),
            None => self.unwritten(sink, "url", fault),
        }
    }

    fn note(&mut self, source: &SecretSource, fault: &dyn fmt::Display) -> Noted {
        self.faults.push(Fault::at(source.position, Some(source.field.clone()), fault.to_string()));
        Noted
    }

    fn unwritten(&mut self, sink: &Described, field: &str, fault: &dyn fmt::Display) -> Noted {
        self.faults.push(Fault::unwritten(format!("sink.{}.{field}", sink.name), fault.to_string()));
        Noted
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const KEY: &str = "R0123456789abcdefghijKLMNOPQRST5";

    fn open(text: &str) -> Result<Vec<Arc<dyn Sink>>, Faults> {
        sinks(&AlertsConfig::parse(text, "rules.toml").unwrap())
    }

    /// `[[sink]]` of this kind, with its secrets in files of this folder.
    fn sink(name: &str, kind: &str, rest: &str) -> String {
        format!("[[sink]]\nname = \"{name}\"\nkind = \"{kind}\"\n{rest}\n")
    }

    fn file(folder: &Path, name: &str, text: &str) -> String {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    #[test]
    fn each_kind_becomes_a_sink() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| file(folder.path(), name, text);
        let (key, api) = (at("key", &format!("{KEY}\n")), at("api", "0f0e0d0c-aaaa\n"));
        let (hook, signing) = (
            at("hook", "https://hooks.slack.com/services/T/B/x\n"),
            at("signing", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
        );
        let text = [
            sink("a", "log", ""),
            sink("b", "webhook", &format!("url = \"https://a.example.org/x\"\nsecret_file = \"{signing}\"")),
            sink("c", "alertmanager", "url = [\"http://a:9093\", \"http://b:9093\"]"),
            sink("d", "pagerduty", &format!("secret_file = \"{key}\"")),
            sink("e", "slack", &format!("url_file = \"{hook}\"")),
            sink("f", "jira_service_management", &format!("secret_file = \"{api}\"")),
            sink("g", "opsgenie", &format!("url = \"https://api.eu.opsgenie.com\"\nsecret_file = \"{api}\"")),
        ];
        let sinks = open(&format!("[evaluation]\nresend = \"30s\"\n{}", text.concat())).unwrap();
        let made: Vec<_> = sinks.iter().map(|it| (it.name(), it.kind())).collect();
        let kinds =
            ["log", "webhook", "alertmanager", "pagerduty", "slack", "jira_service_management", "opsgenie"];
        assert_eq!(made, ["a", "b", "c", "d", "e", "f", "g"].into_iter().zip(kinds).collect::<Vec<_>>());
        assert_eq!(sinks[2].resend_every(), Some(std::time::Duration::from_secs(30)));
        assert!(!format!("{sinks:?}").contains(KEY));
    }

    #[test]
    fn every_secret_that_is_missing_or_wrong_is_said_at_once_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| file(folder.path(), name, text);
        let (weak, clear) = (at("weak", "hunter2"), at("clear", "http://hooks.example.org/hunter2"));
        let text = [
            sink("a", "pagerduty", "secret_env = \"STATIM_TEST_NO_SUCH_VARIABLE\""),
            sink("b", "pagerduty", &format!("secret_file = \"{weak}\"")),
            sink("c", "slack", &format!("url_file = \"{clear}\"")),
            sink("d", "slack", &format!("url_file = \"{weak}\"")),
            sink("e", "webhook", &format!("url = \"https://a.example.org\"\nsecret_file = \"{weak}\"")),
            sink("f", "webhook", "url = [\"https://a.example.org\", \"https://b.example.org\"]"),
        ];
        let faults = open(&text.concat()).unwrap_err();
        let said: Vec<_> = faults
            .faults()
            .iter()
            .map(|it| (it.position.map(|it| it.line), it.field.as_deref().unwrap_or_default()))
            .collect();
        let expected = [
            (None, "sink.f.url"),
            (Some(4), "sink.a.secret_env"),
            (Some(8), "sink.b.secret_file"),
            (Some(12), "sink.c.url_file"),
            (Some(16), "sink.d.url_file"),
            (Some(21), "sink.e.secret_file"),
        ];
        assert_eq!(said, expected, "{faults}");
        assert!(!faults.to_string().contains("hunter2"), "{faults}");
        assert!(faults.to_string().contains("STATIM_TEST_NO_SUCH_VARIABLE"), "{faults}");
    }
}
