//! What looks at media: the program itself, or a script in its place.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::Bed;

impl Bed {
    /// The same with a shell script in place of the program that looks at media. `None`: the program itself again.
    pub async fn restart_looking_by(&mut self, script: Option<&str>) {
        self.program = match script {
            None => program(),
            Some(script) => Some(self.script(script)),
        };
        self.restart().await;
    }

    fn script(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("looks.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
        let runs = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&path, runs).expect("a script");
        path
    }

    /// A file of the test's own, beside the gateway's data.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The program itself, which cargo builds beside its tests: it looks at media.
pub(super) fn program() -> Option<PathBuf> {
    let test = std::env::current_exe().expect("this test");
    let built = test.parent().and_then(std::path::Path::parent);
    let program = built.expect("a folder of builds").join("recado");
    assert!(program.exists(), "{} is not built", program.display());
    Some(program)
}
