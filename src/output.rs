//! What the user sees. Work sends [events](crate::event); one task [draws](drawing) them on standard error. Data goes to
//! standard output through [`write()`]. Nothing else in the program writes to a terminal.
//!
//! What is written beside work goes through an [`outlet`], so that nobody waits for a reader: a
//! paused terminal keeps no signal from being heard.

use crate::diagnostic::Diagnostic;
use crate::engine::{OutputChunk, OutputStream};
use crate::event::Reporter;
use crate::load::Sources;
use crate::options::Globals;
use crate::stdio::Sink;
use crate::value::secret::{Known, mask_in_place, mask_sentence};
use crate::value::userinfo::{masked, masked_in_place};
use crate::value::visible::{visible, visible_beside_colours, visible_json};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

pub mod diagnostic;
mod draw;
mod drawing;
pub mod footer;
pub mod json;
pub mod listing;
mod logrus;
pub mod outlet;
pub mod palette;
mod plain;
pub mod table;
pub mod template;
mod tty;
pub mod words;

pub use drawing::{Above, Drawing, Pieces, Screen, above, replay, start};

use outlet::Stream;
use std::time::Duration;
use words::Line;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Rows on a terminal, redrawn in place.
    Tty,
    /// One line per change.
    Plain,
    /// One JSON object per change.
    Json,
    /// Warnings and errors only.
    Quiet,
}

/// How findings about the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Findings {
    /// With the excerpt underlined.
    Text,
    /// One JSON object a line.
    Json,
    /// A SARIF 2.1.0 log.
    Sarif,
}

/// The choices behind everything that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub mode: Mode,
    /// By `--diagnostics` and `REGATTA_DIAGNOSTICS`; JSON where progress is JSON.
    pub findings: Findings,
    /// Colours in what goes to standard output (log prefixes).
    pub colour_data: bool,
    /// Colours in progress and warnings.
    pub colour_progress: bool,
}

/// Options that contradict each other, or a value that an option does not have.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct BadStyle {
    why: String,
    /// What the user can write instead.
    pub hint: Option<&'static str>,
}

impl BadStyle {
    fn new(why: impl Into<String>) -> Self {
        let why = why.into();
        BadStyle { why, hint: None }
    }
}

impl Style {
    /// Chooses by `--progress`, `--ansi`, `NO_COLOR` and what the streams are.
    ///
    /// # Errors
    /// Where these contradict each other, or a value is unknown.
    pub fn choose(
        globals: &Globals,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, BadStyle> {
        let no_color = environment.get("NO_COLOR").is_some_and(|v| !v.is_empty());
        let ansi = globals.ansi.as_deref().unwrap_or("auto");
        let mode = match globals.progress.as_deref().unwrap_or("auto") {
            "plain" if ansi == "always" => {
                return Err(BadStyle::new(
                    "can't use --progress plain while ANSI support is forced",
                ));
            }
            "tty" if ansi == "never" => {
                return Err(BadStyle::new(
                    "can't use --progress tty while ANSI support is disabled",
                ));
            }
            "tty" => Mode::Tty,
            "" | "auto" if ansi != "never" && io::stderr().is_terminal() => Mode::Tty,
            "" | "auto" | "plain" => Mode::Plain,
            "json" => Mode::Json,
            "quiet" | "none" => Mode::Quiet,
            other => {
                return Err(BadStyle::new(format!(
                    "unsupported --progress value \"{other}\""
                )));
            }
        };
        let wish = globals.diagnostics.as_deref();
        let wish = wish.or(environment.get("REGATTA_DIAGNOSTICS").map(String::as_str));
        let findings = match wish.unwrap_or_default() {
            "" if mode == Mode::Json => Findings::Json,
            "" | "text" => Findings::Text,
            "json" => Findings::Json,
            "sarif" => Findings::Sarif,
            other => {
                return Err(BadStyle {
                    hint: Some("text, json or sarif"),
                    ..BadStyle::new(format!("unsupported --diagnostics value \"{other}\""))
                });
            }
        };
        let allowed = |is_terminal: bool| match ansi {
            _ if no_color => false,
            "always" => true,
            "auto" => is_terminal,
            _ => false,
        };
        Ok(Style {
            mode,
            findings,
            colour_data: allowed(io::stdout().is_terminal()),
            colour_progress: allowed(io::stderr().is_terminal()),
        })
    }
}

/// Turns `--debug` on: what is decided and sent, with the time since the start. Only our own
/// words: those of libraries may hold what nobody should read.
pub fn trace(style: &Style) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::prelude::*;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Traces)
        .with_ansi(style.colour_progress)
        .with_timer(tracing_subscriber::fmt::time::uptime());
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), LevelFilter::DEBUG);
    // A second call, as in tests, changes nothing.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(ours))
        .try_init();
}

/// Where `--debug` writes. Of a heap that nobody reads no more is kept.
struct Traces;

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const HEAP: usize = 16 << 20;
        let outlet = Stream::Stderr.outlet();
        if outlet.waiting() < HEAP {
            let text = without_secrets(&String::from_utf8_lossy(bytes));
            outlet.push(Stream::Stderr, visible_beside_colours(&text).into_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until all is written, or nobody is waited for any more.
async fn settled() {
    let [out, err] = [Stream::Stdout, Stream::Stderr].map(Stream::outlet);
    tokio::join!(out.settled(patience()), err.settled(patience()));
}

/// The contents of secrets that are known by now.
static SECRETS: RwLock<Known> = RwLock::new(Known::none());

/// From now on no message shows what these secrets hold.
pub fn conceal(secrets: &Known) {
    let mut known = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    known.join(secrets.clone());
}

fn concealed() -> Known {
    let known = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    known.clone()
}

/// Words of others as they may be shown: without secrets, and harmless.
fn shown(text: &str) -> String {
    visible(&without_secrets(text)).into_owned()
}

/// A message without logins of addresses, the secrets of the project, and what else looks like one.
fn without_secrets(text: &str) -> String {
    mask_sentence(&concealed().mask(&masked(text))).into_owned()
}

/// A line without secrets.
fn unsigned(mut line: Line) -> Line {
    for text in [&mut line.id, &mut line.text, &mut line.details] {
        *text = without_secrets(text);
    }
    line
}

/// Sends it to standard error.
fn flush(out: &mut Vec<u8>) {
    let shown = placed(Stream::Stderr, std::mem::take(out));
    // Nobody is left to tell where standard error is closed.
    let _ = Stream::Stderr.outlet().push(Stream::Stderr, shown);
}

/// The bytes that show these as they are meant, whatever else the terminal is used for: above the
/// [`footer`], and each line at its beginning where the terminal is raw.
fn placed(to: Stream, bytes: Vec<u8>) -> Vec<u8> {
    let bytes = match RAW.load(Ordering::Relaxed) && to == Stream::Stderr && bytes.contains(&b'\n')
    {
        true => {
            let lines = bytes.split(|byte| *byte == b'\n');
            lines.collect::<Vec<_>>().join(&b"\r\n"[..])
        }
        false => bytes,
    };
    footer::above(to, bytes)
}

/// Writes to standard output, above the [`footer`].
pub fn write_above(text: &str) {
    let shown = footer::above(Stream::Stdout, text.as_bytes().to_vec());
    // A terminal that is gone shows nothing.
    let _ = Stream::Stdout.outlet().push(Stream::Stdout, shown);
}

/// Waits until all that was sent to standard output is written.
pub async fn drained() {
    // The next write is told what went wrong.
    let _ = Stream::Stdout.outlet().drained(Stream::Stdout).await;
}

/// How many milliseconds readers are waited for; 0 is for ever.
static PATIENCE: AtomicU64 = AtomicU64::new(0);

/// Somebody has asked to stop: from now on last words that nobody reads keep the program for no more
/// than a second, and for hardly any time where it is to end `at_once`.
pub fn hurry(at_once: bool) {
    let millis = if at_once { 80 } else { 1000 };
    PATIENCE.store(millis, Ordering::Relaxed);
}

/// How long readers are waited for.
fn patience() -> Option<Duration> {
    let millis = PATIENCE.load(Ordering::Relaxed);
    (millis > 0).then(|| Duration::from_millis(millis))
}

/// Says that the program itself is at fault, right before it ends. It takes no lock of ours, since the
/// thread that failed may hold it.
pub fn fault(text: &str) {
    let cursor = match io::stderr().is_terminal() {
        true => SHOW_CURSOR,
        false => b"",
    };
    let text = match SECRETS.try_read() {
        Ok(known) => known.mask(&masked(text)).into_owned(),
        Err(_) => masked(text).into_owned(),
    };
    let text = format!("\n{}\n", visible(&mask_sentence(&text)));
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(&[cursor, text.as_bytes()].concat());
}

/// Brings back the cursor that a drawing has hidden.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// Leaves a terminal usable, where the program ends in the middle of a drawing. A paused one keeps
/// nobody.
pub fn abandon() {
    if io::stderr().is_terminal() {
        let outlet = Stream::Stderr.outlet();
        let _ = outlet.push(Stream::Stderr, SHOW_CURSOR.to_vec());
        outlet.wait(Some(Duration::from_millis(50)));
    }
}

/// Says the question that is asked on standard output.
///
/// # Errors
/// Where standard output cannot be written.
pub async fn ask(question: &str) -> io::Result<()> {
    let outlet = Stream::Stdout.outlet();
    outlet.push(Stream::Stdout, shown(question).into_bytes())?;
    outlet.drained(Stream::Stdout).await
}

/// Writes data to standard output, however long that takes.
pub fn write(text: &str) -> io::Result<()> {
    Stream::Stdout.outlet().wait(patience());
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes words of others to standard output, for people to read: without secrets, and harmless.
pub fn tell(text: &str) -> io::Result<()> {
    write(&shown(text))
}

/// Standard output, for data that comes in large pieces.
pub fn stdout() -> impl Write {
    io::stdout()
}

/// Standard error, for what a command in a container writes there.
pub fn stderr() -> impl Write {
    io::stderr()
}

/// Both streams, for what a process in a container writes: as it is, and without waiting for a reader.
#[derive(Debug, Default)]
pub struct Direct;

impl Sink for Direct {
    fn write(&mut self, chunk: OutputChunk) -> io::Result<()> {
        let to = match chunk.stream {
            OutputStream::Stdout => Stream::Stdout,
            OutputStream::Stderr => Stream::Stderr,
        };
        to.outlet().push(to, chunk.bytes)
    }

    fn has_room(&self) -> bool {
        let [out, err] = [Stream::Stdout, Stream::Stderr].map(Stream::outlet);
        out.has_room() && err.has_room()
    }

    fn room(&self) -> BoxFuture<'static, ()> {
        let [out, err] = [Stream::Stdout, Stream::Stderr].map(Stream::outlet);
        async move {
            out.room().await;
            err.room().await;
        }
        .boxed()
    }

    fn drained(&self) -> BoxFuture<'static, io::Result<()>> {
        async {
            for stream in [Stream::Stderr, Stream::Stdout] {
                stream.outlet().drained(stream).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// Standard output as a thing of the system, to ask about its terminal.
pub fn stdout_handle() -> io::Stdout {
    io::stdout()
}

/// The terminal is raw (or no more): a line's end does not begin the next line by itself.
pub fn is_raw(raw: bool) {
    RAW.store(raw, Ordering::Relaxed);
}

static RAW: AtomicBool = AtomicBool::new(false);

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes a line of complaint to standard error, and waits until it is written.
pub fn complain(message: &str) {
    flush(&mut format!("{}\n", shown(message)).into_bytes());
    Stream::Stderr.outlet().wait(patience());
}

/// Waits until all that was sent is written, as long as a reader is waited for: the last thing
/// before the program ends.
pub fn wait() {
    for stream in [Stream::Stdout, Stream::Stderr] {
        stream.outlet().wait(patience());
    }
}

/// Shows the error that a command ended with, and what the user can do about it.
pub fn error(message: &str, hints: &[String], json: bool) {
    if json {
        if !message.is_empty() {
            let line = visible_json(&json::error(&without_secrets(message)));
            flush(&mut format!("{line}\n").into_bytes());
            Stream::Stderr.outlet().wait(patience());
        }
        return;
    }
    let mut text = message.to_owned();
    for hint in hints {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    complain(&text);
}

/// Shows what loading found, on standard error, in the form of `--diagnostics`.
pub fn findings(style: &Style, reporter: &Reporter, findings: &[Diagnostic], sources: &Sources) {
    if findings.is_empty() {
        return;
    }
    let text = written(style, findings, sources);
    if !reporter.text(&text) {
        flush(&mut text.into_bytes());
    }
}

/// Shows what checking a file found: as data on standard output where programs read it.
///
/// # Errors
/// Where standard output cannot be written.
pub fn checked(
    style: &Style,
    reporter: &Reporter,
    findings: &[Diagnostic],
    sources: &Sources,
) -> io::Result<()> {
    match style.findings {
        Findings::Text => {
            self::findings(style, reporter, findings, sources);
            Ok(())
        }
        _ => write(&written(style, findings, sources)),
    }
}

fn written(style: &Style, findings: &[Diagnostic], sources: &Sources) -> String {
    match style.findings {
        Findings::Json => visible_json(&unsigned_lines(diagnostic::json_lines(findings, sources))),
        Findings::Sarif => visible_json(&unsigned_lines(diagnostic::sarif(findings, sources))),
        Findings::Text => render_findings(style, findings, sources) + "\n",
    }
}

/// Findings without the passwords of addresses, also of those in excerpts, whose columns stay.
fn unsigned_lines(text: String) -> String {
    let text = masked_in_place(&text);
    mask_in_place(&concealed().mask_in_place(&text)).into_owned()
}

/// Findings as people read them, without the end of the last line.
pub fn render_findings(style: &Style, findings: &[Diagnostic], sources: &Sources) -> String {
    let has_colour = style.colour_progress && style.mode != Mode::Json;
    let text = diagnostic::text(findings, sources, has_colour);
    unsigned_lines(text).trim_end().to_owned()
}
