//! A law that no dependency tree can prove: what a crate hands out names no type of the crates that it hides.
//!
//! The sources are read with `syn`. Public is what has a `pub` and stands in public modules, or is named by a
//! `pub use`; and then each type of the crate that a public item names, with its fields, variants, methods and
//! traits. A name is followed through `use` to where it comes from. Items that macros of the crate itself make are
//! not seen.

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use syn::{Fields, ImplItem, Item, ItemImpl, TraitItem, Visibility, visit::Visit};

use modules::{Crate, Module, joined};

/// A public item that may name what is hidden all the same.
pub struct Allowed {
    /// As it is reported.
    pub item: &'static str,
    pub reason: &'static str,
}

/// Fails with file, item and name where a public item below `src` names a type of one of the `hidden` crates;
/// also where the list allows what is not there.
pub fn check(src: &Path, hidden: &[&str], allowed: &[Allowed]) -> Result<()> {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for Finding { file, item, name } in find(src, hidden)? {
        match allowed.iter().find(|allowed| allowed.item == item) {
            Some(allowed) => drop(used.insert(allowed.item)),
            None => wrong.push(format!("{file}: `{item}` names {name}")),
        }
    }
    for Allowed { item, reason } in allowed {
        if !used.contains(item) {
            wrong.push(format!(
                "`{item}` is allowed ({reason}) and names nothing that is hidden: take it off the list"
            ));
        }
    }
    if !wrong.is_empty() {
        bail!(
            "what is public here must not name types of {}:\n  {}",
            hidden.join(" or "),
            wrong.join("\n  ")
        );
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    item: String,
    name: String,
}

fn find(src: &Path, hidden: &[&str]) -> Result<BTreeSet<Finding>> {
    let krate = Crate::read(src)?;
    let mut walk = Walk {
        hidden,
        krate: &krate,
        impls: BTreeMap::new(),
        found: BTreeSet::new(),
        known: BTreeSet::new(),
        waiting: Vec::new(),
    };
    walk.index_impls();
    walk.begin();
    while let Some(path) = walk.waiting.pop() {
        walk.item(&path);
    }
    Ok(walk.found)
}

struct Walk<'a> {
    hidden: &'a [&'a str],
    krate: &'a Crate,
    /// By the absolute path of the type that they are of.
    impls: BTreeMap<String, Vec<(&'a Module, &'a ItemImpl)>>,
    found: BTreeSet<Finding>,
    /// Absolute paths of public items that were met.
    known: BTreeSet<String>,
    waiting: Vec<Vec<String>>,
}

impl<'a> Walk<'a> {
    fn index_impls(&mut self) {
        for module in &self.krate.modules {
            for item in &module.items {
                if let Item::Impl(of) = item
                    && let syn::Type::Path(named) = &*of.self_ty
                {
                    let path = self.krate.resolve(module, &joined(&named.path));
                    let impls = self.impls.entry(path.join("::")).or_default();
                    impls.push((module, of));
                }
            }
        }
    }

    /// The items in public modules, and those that they name with `pub use`.
    fn begin(&mut self) {
        let krate = self.krate;
        for module in krate.modules.iter().filter(|module| module.is_open) {
            self.open(module);
        }
    }

    /// All that a module shows, and what a module shows of which it exports everything.
    fn open(&mut self, module: &Module) {
        if !self.known.insert(format!("mod {}", module.path.join("::"))) {
            return;
        }
        for item in &module.items {
            if let (Some(name), true) = (name_of(item), is_pub(item)) {
                self.waiting.push(module.path_to(&name));
            }
        }
        let krate = self.krate;
        for (name, target) in &module.exports {
            let path = krate.resolve(module, target);
            match krate.at(&path).filter(|_| name.ends_with("::*")) {
                Some(inner) => self.open(inner),
                None => self.meet(module, name, &path),
            }
        }
    }

    /// A path that a public item names: one more public item, one that is hidden, or neither.
    fn meet(&mut self, module: &Module, item: &str, path: &[String]) {
        let Some(first) = path.first() else {
            return;
        };
        if self.hidden.contains(&first.as_str()) {
            self.found.insert(Finding {
                file: module.file.clone(),
                item: item.to_owned(),
                name: path.join("::"),
            });
        } else if first == "crate" && self.known.insert(path.join("::")) {
            self.waiting.push(path.to_vec());
        }
    }

    /// All that is public of the item at an absolute path.
    fn item(&mut self, path: &[String]) {
        let Some((module, item)) = self.krate.item(path) else {
            return;
        };
        let name = path.last().map_or("", String::as_str);
        match item {
            Item::Struct(of) => {
                self.names(module, name, |names| names.visit_generics(&of.generics));
                self.fields(module, name, &of.fields, false);
            }
            Item::Enum(of) => {
                self.names(module, name, |names| names.visit_generics(&of.generics));
                for variant in &of.variants {
                    let name = format!("{name}::{}", variant.ident);
                    self.fields(module, &name, &variant.fields, true);
                }
            }
            Item::Trait(of) => self.methods(module, name, of),
            Item::Fn(of) => {
                // Functions of several modules have one name.
                let name = path[1..].join("::");
                self.names(module, &name, |names| names.visit_signature(&of.sig));
            }
            Item::Type(of) => self.names(module, name, |names| {
                names.visit_generics(&of.generics);
                names.visit_type(&of.ty);
            }),
            Item::Const(of) => self.names(module, name, |names| names.visit_type(&of.ty)),
            Item::Static(of) => self.names(module, name, |names| names.visit_type(&of.ty)),
            _ => {}
        }
        for (module, of) in self
            .impls
            .get(&path.join("::"))
            .cloned()
            .unwrap_or_default()
        {
            self.implementation(module, name, of);
        }
    }

    fn fields(&mut self, module: &Module, name: &str, fields: &Fields, of_variant: bool) {
        for (at, field) in fields.iter().enumerate() {
            if !of_variant && !matches!(field.vis, Visibility::Public(_)) {
                continue;
            }
            let field_name = match &field.ident {
                Some(ident) => ident.to_string(),
                None => at.to_string(),
            };
            let name = format!("{name}.{field_name}");
            self.names(module, &name, |names| names.visit_type(&field.ty));
        }
    }

    fn methods(&mut self, module: &Module, name: &str, of: &syn::ItemTrait) {
        self.names(module, name, |names| {
            names.visit_generics(&of.generics);
            for bound in &of.supertraits {
                names.visit_type_param_bound(bound);
            }
        });
        for item in &of.items {
            match item {
                TraitItem::Fn(method) => {
                    let name = format!("{name}::{}", method.sig.ident);
                    self.names(module, &name, |names| names.visit_signature(&method.sig));
                }
                other => self.names(module, name, |names| names.visit_trait_item(other)),
            }
        }
    }

    fn implementation(&mut self, module: &Module, name: &str, of: &ItemImpl) {
        let of_trait = of.trait_.as_ref().map(|(_, path, _)| path);
        let at = match of_trait {
            Some(path) => format!("impl {} for {name}", joined(path).join("::")),
            None => name.to_owned(),
        };
        self.names(module, &at, |names| {
            names.visit_generics(&of.generics);
            if let Some(path) = of_trait {
                names.visit_path(path);
            }
        });
        for item in &of.items {
            match item {
                // The signatures of a trait's methods are the trait's.
                ImplItem::Fn(method) if of_trait.is_none() && is_public(&method.vis) => {
                    let name = format!("{name}::{}", method.sig.ident);
                    self.names(module, &name, |names| names.visit_signature(&method.sig));
                }
                ImplItem::Const(of) if of_trait.is_none() && is_public(&of.vis) => {
                    let name = format!("{name}::{}", of.ident);
                    self.names(module, &name, |names| names.visit_type(&of.ty));
                }
                ImplItem::Type(of) => self.names(module, &at, |names| names.visit_type(&of.ty)),
                _ => {}
            }
        }
    }

    /// Meets every path that `read` visits.
    fn names(&mut self, module: &Module, item: &str, read: impl FnOnce(&mut Names)) {
        let mut names = Names::default();
        read(&mut names);
        for path in names.0 {
            let path = self.krate.resolve(module, &path);
            self.meet(module, item, &path);
        }
    }
}

/// The paths in what is visited.
#[derive(Default)]
struct Names(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(joined(path));
        syn::visit::visit_path(self, path);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_pub(item: &Item) -> bool {
    match item {
        Item::Struct(of) => is_public(&of.vis),
        Item::Enum(of) => is_public(&of.vis),
        Item::Trait(of) => is_public(&of.vis),
        Item::Fn(of) => is_public(&of.vis),
        Item::Type(of) => is_public(&of.vis),
        Item::Const(of) => is_public(&of.vis),
        Item::Static(of) => is_public(&of.vis),
        _ => false,
    }
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Struct(of) => &of.ident,
        Item::Enum(of) => &of.ident,
        Item::Trait(of) => &of.ident,
        Item::Fn(of) => &of.sig.ident,
        Item::Type(of) => &of.ident,
        Item::Const(of) => &of.ident,
        Item::Static(of) => &of.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a crate of these files and walks it.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let found = find(folder.path(), &["hidden"]).expect("a crate");
        let line = |finding: Finding| format!("{} {}", finding.item, finding.name);
        found.into_iter().map(line).collect()
    }

    #[test]
    fn a_planted_name_is_found_wherever_it_is_public() {
        let planted = found(&[
            (
                "lib.rs",
                "pub mod open; mod shut; mod all; pub use all::*;
                 pub use shut::{Inner, read}; pub use hidden::Whole;
                 use hidden::rows; use hidden as behind;
                 pub struct App { pub row: rows::Row, kept: rows::Row }
                 impl App {
                     pub fn row(&self) -> Option<&rows::Row> { None }
                     pub(crate) fn own(&self) -> rows::Row { todo!() }
                 }
                 impl From<behind::Row> for App { fn from(_: behind::Row) -> Self { todo!() } }
                 #[cfg(test)] mod tests { pub fn row() -> hidden::Row { todo!() } }",
            ),
            ("all.rs", "pub fn one(_: hidden::Conn) {} fn own(_: hidden::Conn) {}"),
            (
                "open.rs",
                "use super::shut::Own; pub enum Kind { Of(hidden::Row) } pub fn own() -> Own { todo!() }
                 pub trait Sees: hidden::Seen { fn see(&self, row: &crate::shut::Renamed); }",
            ),
            (
                "shut.rs",
                "use hidden::{Conn, Row as Renamed}; pub struct Inner; pub struct Own(pub Renamed);
                 pub struct Unseen(pub Renamed); pub fn read(_: &mut Conn) {} pub fn other(_: Conn) {}",
            ),
        ]);
        assert_eq!(
            planted,
            [
                "all::one hidden::Conn",
                "App.row hidden::rows::Row",
                "App::row hidden::rows::Row",
                "Whole hidden::Whole",
                "impl From for App hidden::Row",
                "Kind::Of.0 hidden::Row",
                "Sees hidden::Seen",
                "Sees::see hidden::Row",
                "Own.0 hidden::Row",
                "shut::read hidden::Conn",
            ]
        );
    }

    #[test]
    fn what_is_allowed_must_be_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "pub fn wire(_: hidden::Store) {}";
        std::fs::write(folder.path().join("lib.rs"), text).expect("a file");
        let allowed = |item| Allowed {
            item,
            reason: "wired",
        };
        let hidden = ["hidden"];
        assert!(check(folder.path(), &hidden, &[]).is_err());
        assert!(check(folder.path(), &hidden, &[allowed("wire")]).is_ok());
        let too_many = [allowed("wire"), allowed("gone")];
        assert!(check(folder.path(), &hidden, &too_many).is_err());
    }
}
