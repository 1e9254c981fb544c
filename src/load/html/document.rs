//! The frame of a page: one file that asks the network for nothing, and whose policy forbids that it does.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing may be loaded, and nothing in the page may run or style but the two texts that belong to it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        fingerprint(STYLE),
        fingerprint(SCRIPT)
    )
});

fn fingerprint(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// A page in the style of the load report around HTML of one's own: light and dark, narrow and wide, printable, and
/// offline. Tables, code, lists and headings from `h1` to `h3` are styled; a table wider than a telephone goes into
/// `<div class="scroll">`.
///
/// The title is escaped here. `body_html` is taken as it is, so whoever writes it escapes what comes from outside; the
/// page's policy lets no script, style, image or address in it take effect all the same.
pub fn document(title: &str, body_html: &str) -> String {
    wrap(title, html! { main { (PreEscaped(body_html)) } }).into_string()
}

pub(super) fn wrap(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(*POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
