//! Arguments, then window or headless; nothing else.
#![recursion_limit = "256"]

fn main() -> std::process::ExitCode {
    twinscope::cli::main(twinscope::ui::run)
}
