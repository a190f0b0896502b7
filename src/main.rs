//! The program: all of it lives in the library.

fn main() -> std::process::ExitCode {
    regatta::cli::run(std::env::args_os().collect())
}
