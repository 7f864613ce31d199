use std::process::ExitCode;

use clap::Parser;
use recado::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("recado: the async runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(cli));
    // Blocking tasks (a name look-up under way) must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // The catalogue's code is for programs; a person reads the sentence.
            match error.downcast_ref::<recado_model::Error>() {
                Some(error) => eprintln!("recado: {}", error.message),
                None => eprintln!("recado: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}
