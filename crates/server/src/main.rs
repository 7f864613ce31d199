use std::process::ExitCode;

use recado::{
    cli::{Cli, Command},
    commands, output,
};

fn main() -> ExitCode {
    let cli = Cli::read();
    // Before there is a thread or a file beside this one.
    if let Command::LookAtMedia { class } = &cli.command {
        return commands::look::run(class);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::err(format_args!(
                "recado: the async runtime did not start: {error}"
            ));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(cli));
    // Blocking tasks (a name look-up under way) must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            output::err(format_args!("recado: {}", output::explain(&error)));
            ExitCode::FAILURE
        }
    }
}
