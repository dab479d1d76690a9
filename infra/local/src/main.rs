//! `cargo run`: starts the stack, sends, shows. Only wires.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use stafett_local::options::Options;
use stafett_local::stack::Stack;
use stafett_local::{entry, notice, show};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(function) = &options.function {
        return entry::run(function);
    }
    serve(&options)
}

#[tokio::main]
async fn serve(options: &Options) -> ExitCode {
    let stack = match Stack::start(options).await {
        Ok(stack) => stack,
        Err(error) => {
            notice::notice(error);
            return ExitCode::FAILURE;
        }
    };
    let mut screen = std::io::stdout();
    let _ = writeln!(screen, "Stafett listens on {}", stack.url());
    let _ = screen.flush();
    let exit = tokio::select! {
        exit = show_and_serve(options, &stack) => exit,
        () = asked_to_end() => ExitCode::SUCCESS,
    };
    stack.stop().await;
    exit
}

/// Ends only under `--exit`.
async fn show_and_serve(options: &Options, stack: &Stack) -> ExitCode {
    if !options.no_send {
        let all_succeeded = show::sends(options, stack, &mut std::io::stdout()).await;
        if options.exit {
            return if all_succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    }
    std::future::pending().await
}

/// Ctrl-C, or what service managers and test runners send.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
