//! The laws of the design that dependency trees and sources can prove.

mod circles;
mod public_items;

use anyhow::{Context, Result, bail};

pub use self::circles::no_circles;
use crate::tools;
use public_items::Allowed;

/// `recado-api` names only `model`, `identity` and `app` of ours, and none of what lies behind them.
pub fn api_sees_no_database_and_no_engine() -> Result<()> {
    let tree = tree(&[
        "--package",
        "recado-api",
        "--depth",
        "1",
        "--edges",
        "normal",
    ])?;
    refuse(
        "recado-api",
        &tree,
        &[
            "sqlx",
            "whatsapp-rust",
            "wacore",
            "recado-store",
            "recado-engine",
            "recado-sandbox",
        ],
    )
}

/// `recado-model` is pure: no runtime, no database, no web framework at any depth.
pub fn model_is_pure() -> Result<()> {
    let tree = tree(&["--package", "recado-model", "--edges", "normal"])?;
    refuse(
        "recado-model",
        &tree,
        &[
            "tokio",
            "sqlx",
            "axum",
            "recado-store",
            "recado-identity",
            "recado-engine",
            "recado-app",
            "recado-api",
        ],
    )
}

/// `recado-identity` decides who may do what without WhatsApp: no engine at any depth. Nor does the
/// engine know who may do what: the two stand beside each other.
pub fn identity_reaches_no_engine() -> Result<()> {
    let identity = tree(&["--package", "recado-identity", "--edges", "normal"])?;
    let engine = tree(&["--package", "recado-engine", "--edges", "normal"])?;
    // A check that looks for a name that is gone would pass for ever.
    if !engine.contains("\nwhatsapp-rust ") {
        bail!("the engine reaches no `whatsapp-rust`: this check looks for the wrong name");
    }
    refuse(
        "recado-identity",
        &identity,
        &["recado-engine", "whatsapp-rust", "wacore"],
    )?;
    refuse("recado-engine", &engine, &["recado-identity"])
}

/// The crates form a line: each names only those to its left.
pub fn crates_form_a_line() -> Result<()> {
    let line = [
        "recado-model",
        "recado-store",
        "recado-identity",
        "recado-engine",
        "recado-app",
        "recado-api",
    ];
    for (place, package) in line.iter().enumerate() {
        let tree = tree(&["--package", package, "--depth", "1", "--edges", "normal"])?;
        let right: Vec<&str> = line[place + 1..]
            .iter()
            .copied()
            .chain(["recado", "recado-sandbox"])
            .collect();
        refuse(package, &tree, &right)?;
    }
    Ok(())
}

/// Nothing that `app` hands out, itself or through the services of `identity`, names a type of the database
/// or of the engine.
pub fn app_hands_out_no_types_of_others() -> Result<()> {
    let hidden = ["recado_store", "recado_engine"];
    let src = |name: &str| tools::root().join("crates").join(name).join("src");
    public_items::check(&src("app"), &hidden, &OF_APP)?;
    public_items::check(&src("identity"), &hidden, &OF_IDENTITY)
}

/// Items that `server` alone calls.
const OF_APP: [Allowed; 5] = [
    Allowed {
        item: "Deps.store",
        reason: "the program wires",
    },
    Allowed {
        item: "Deps.engine",
        reason: "the program wires",
    },
    Allowed {
        item: "billing::operator::list",
        reason: "`recado billing` works on a database without a running program",
    },
    Allowed {
        item: "billing::operator::grant",
        reason: "`recado billing` works on a database without a running program",
    },
    Allowed {
        item: "billing::operator::end",
        reason: "`recado billing` works on a database without a running program",
    },
];

/// Items that `app` calls inside a transaction of its own, and what `server` calls.
const OF_IDENTITY: [Allowed; 8] = [
    Allowed {
        item: "Identity::new",
        reason: "`app` wires",
    },
    Allowed {
        item: "Access::commit",
        reason: "`app` ends credentials in transactions of its own",
    },
    Allowed {
        item: "Detail::write",
        reason: "`app` writes the audit row in the transaction of the change",
    },
    Allowed {
        item: "Credentials::of_store",
        reason: "`recado credential` works on a database without a running program",
    },
    Allowed {
        item: "Operator.store",
        reason: "`recado user` works on a database without a running program",
    },
    Allowed {
        item: "accounts::create_with",
        reason: "`recado account create` works on a database without a running program",
    },
    Allowed {
        item: "accounts::create",
        reason: "the same, for tests and measurements",
    },
    Allowed {
        item: "audit::read",
        reason: "`recado audit` works on a database without a running program",
    },
];

/// The program that people install checks WhatsApp's certificate and holds no sandbox code.
pub fn production_is_safe() -> Result<()> {
    // Each package with its enabled features. (`--edges features` is no use here: seen from the top, it
    // leaves out features that are enabled by features.)
    let with_features = [
        "--package",
        "recado",
        "--edges",
        "normal",
        "--format",
        "{p} {f}",
    ];
    let production = tree(&with_features)?;
    refuse("recado", &production, &["recado-sandbox"])?;
    if let Some(line) = production.lines().find(|line| line.contains("danger")) {
        bail!(
            "the production build of `recado` has a danger feature: {}",
            line.trim()
        );
    }
    // The check must be able to see the feature at all, or a renamed one would pass for ever.
    let sandbox = tree(&[with_features.as_slice(), &["--features", "sandbox"]].concat())?;
    if !sandbox.contains("danger-skip-cert-chain-verify") {
        bail!(
            "the sandbox build names no `danger-skip-cert-chain-verify`: this check looks for the wrong feature"
        );
    }
    Ok(())
}

fn tree(args: &[&str]) -> Result<String> {
    let mut command = tools::cargo();
    command
        .args(["tree", "--locked", "--prefix", "none"])
        .args(args);
    tools::output(&mut command).context("cannot read the dependency tree")
}

/// Fails when a package of these names is in the tree (the first word of each line).
fn refuse(package: &str, tree: &str, forbidden: &[&str]) -> Result<()> {
    for line in tree.lines().skip(1) {
        let name = line.split_whitespace().next().unwrap_or_default();
        if forbidden.contains(&name) {
            bail!("{package} must not reach {name}: see the laws in ARCHITECTURE.md");
        }
    }
    Ok(())
}
