//! A program on a terminal of its own: what is typed, what the screen shows, which mode it is in.

use super::eventually::eventually;
use super::run::Program;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

pub struct Terminal {
    master: File,
    slave: File,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    before: Termios,
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Program {
    /// Starts it with a terminal of this size as its own, which its streams are.
    pub fn on_terminal(self, rows: u16, columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal of ours");
        unlockpt(&master).expect("a terminal that opens");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let path = name.into_string().expect("a path");
        tcsetwinsize(&master, size(rows, columns)).expect("a size");
        let slave = File::options()
            .read(true)
            .write(true)
            .open(path)
            .expect("its other end");
        let before = tcgetattr(&slave).expect("its mode");
        let given = self.command();
        let mut command = Command::new("setsid");
        command
            .arg("--ctty")
            .arg(given.get_program())
            .args(given.get_args())
            .env_clear()
            .envs(
                given
                    .get_envs()
                    .filter_map(|(key, value)| Some((key, value?))),
            )
            .current_dir(given.get_current_dir().expect("a directory"));
        let end = || slave.try_clone().expect("a clone");
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("setsid is there");
        let master = File::from(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (master.try_clone().expect("a clone"), screen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                to.lock().expect("the screen").extend(&buffer[..n]);
            }
        });
        Terminal {
            master,
            slave,
            child,
            screen,
            before,
        }
    }
}

impl Terminal {
    /// Types.
    pub fn types(&self, text: impl AsRef<[u8]>) {
        let mut to = self.master.try_clone().expect("a clone");
        to.write_all(text.as_ref()).expect("a terminal to type at");
    }

    /// All that it has shown so far.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("the screen")).into_owned()
    }

    /// Waits until it has shown this.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        let what = format!("the screen shows {text:?}");
        let last = std::cell::RefCell::new(String::new());
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(&what, || {
                *last.borrow_mut() = self.screen();
                last.borrow().contains(text).then_some(())
            });
        }));
        assert!(shown.is_ok(), "{what} never; it shows\n{}", last.borrow());
    }

    /// Waits until keys go to the program as they are.
    #[track_caller]
    pub fn gets_raw(&self) {
        eventually("the terminal is raw", || self.is_raw().then_some(()));
    }

    pub fn is_raw(&self) -> bool {
        let mode = tcgetattr(&self.slave).expect("its mode");
        !mode.local_modes.contains(LocalModes::ICANON)
    }

    /// Whether it has the mode again that it had before.
    pub fn is_as_before(&self) -> bool {
        let now = tcgetattr(&self.slave).expect("its mode");
        let before = &self.before;
        now.local_modes == before.local_modes
            && now.input_modes == before.input_modes
            && now.output_modes == before.output_modes
            && now.control_modes == before.control_modes
    }

    pub fn resizes(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.master, size(rows, columns)).expect("a size");
    }

    /// Sends the program a signal: `TSTP`, `TERM`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{signal}");
    }

    /// The letter that the system has for what the program does: `T` is stopped.
    pub fn state(&self) -> String {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let rest = text.rsplit(") ").next().unwrap_or_default();
        rest.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Waits until it ends, with the terminal as it was before; gives its exit code.
    #[track_caller]
    pub fn ends(&mut self) -> Option<i32> {
        let status = eventually("the program ends", || {
            self.child.try_wait().expect("a child to wait for")
        });
        assert!(self.is_as_before(), "the terminal has another mode");
        status.code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
