//! Inside a crate, too, the modules have an order: the one that `docs/src/architecture.md` lists.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, File, Item, ItemMod, ItemUse, UseTree, Visibility, visit::Visit};

/// A module or an item by its names, from the root of the crate down.
type Names = Vec<String>;

#[test]
fn no_module_knows_a_higher_one() {
    for (name, order) in orders() {
        let modules = Modules::of(&name);
        let listed: BTreeSet<_> = order.iter().cloned().collect();
        let there = modules.children(&[]);
        let (new, gone) = (Vec::from_iter(&there - &listed), Vec::from_iter(&listed - &there));
        assert!(
            new.is_empty() && gone.is_empty(),
            "the row of {name} in docs/src/architecture.md lacks {new:?}, and has {gone:?} in vain"
        );
        let place = |module: &str| order.iter().position(|listed| listed == module);
        for Arrow { folder, from, to, why } in modules.arrows() {
            let upward = folder.is_empty() && place(&from) < place(&to);
            assert!(!upward, "{name}: {from} stands before {to}, but knows it: {why}");
        }
    }
}

#[test]
fn no_folder_holds_a_circle() {
    for (name, _) in orders() {
        let mut arrows: BTreeMap<Names, Vec<Arrow>> = BTreeMap::new();
        for arrow in Modules::of(&name).arrows() {
            arrows.entry(arrow.folder.clone()).or_default().push(arrow);
        }
        for (folder, mut arrows) in arrows {
            // What leads only into a circle, or only out of it, is not on it.
            loop {
                let before = arrows.len();
                let from: BTreeSet<_> = arrows.iter().map(|arrow| arrow.from.clone()).collect();
                let to: BTreeSet<_> = arrows.iter().map(|arrow| arrow.to.clone()).collect();
                arrows.retain(|arrow| from.contains(&arrow.to) && to.contains(&arrow.from));
                if arrows.len() == before {
                    break;
                }
            }
            let circle: Vec<_> = arrows
                .iter()
                .map(|Arrow { from, to, why, .. }| format!("{from} → {to}: {why}"))
                .collect();
            assert!(circle.is_empty(), "{name}, {}:\n{}", folder.join("/"), circle.join("\n"));
        }
    }
}

#[test]
fn no_module_uses_what_a_module_around_it_defines() {
    for (name, _) in orders() {
        let upward = Modules::of(&name).upward();
        assert!(upward.is_empty(), "{name}:\n{}", upward.join("\n"));
    }
}

/// The book's list: each crate with its modules, from the ground up.
fn orders() -> Vec<(String, Names)> {
    include_str!("../../docs/src/architecture.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `crm-")?.split_once("` | `"))
        .map(|(name, modules)| {
            let modules = modules.trim_end_matches(['|', ' ', '`']).split("` `");
            (format!("crm-{name}"), modules.map(str::to_owned).collect())
        })
        .collect()
}

/// One module knows a sibling of its own folder.
struct Arrow {
    folder: Names,
    from: String,
    to: String,
    why: String,
}

/// The modules of a crate, without what is compiled for tests alone.
struct Modules(BTreeMap<Names, Module>);

struct Module {
    /// Its file, below `src`.
    file: String,
    /// Each path that the module names, as it stands there.
    paths: Vec<Names>,
    /// What it offers under a name though another module defines it.
    exports: BTreeMap<String, Names>,
}

impl Modules {
    fn of(name: &str) -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src");
        let root =
            ["lib.rs", "main.rs"].map(|root| src.join(root)).into_iter().find(|p| p.exists());
        let mut modules = Self(BTreeMap::new());
        modules.load(&src, root.expect("a crate has a root"), Vec::new());
        modules
    }

    fn load(&mut self, src: &Path, file: PathBuf, names: Names) {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        let is_folder = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| file.ends_with(name));
        let folder =
            if is_folder { file.parent().unwrap().into() } else { file.with_extension("") };
        for child in children(&parsed) {
            let below = [folder.join(format!("{child}.rs")), folder.join(&child).join("mod.rs")];
            let below = below.into_iter().find(|path| path.exists()).expect("a module has a file");
            self.load(src, below, [names.clone(), vec![child]].concat());
        }
        let mut paths = Paths::default();
        paths.visit_file(&parsed);
        let Paths { paths, exports } = paths;
        let file = file.strip_prefix(src).unwrap().display().to_string();
        self.0.insert(names, Module { file, paths, exports });
    }

    fn children(&self, folder: &[String]) -> BTreeSet<String> {
        let inside = self.0.keys().filter(|names| names.starts_with(folder));
        inside.filter_map(|names| names.get(folder.len())).cloned().collect()
    }

    /// The module that a path leads to from another one, past what is only handed on.
    fn target(&self, from: &[String], path: &[String]) -> Option<(Names, Names)> {
        let mut module = match path[0].as_str() {
            "crate" => Vec::new(),
            "self" | "super" => from.to_vec(),
            child if self.0.contains_key(&[from, &[child.to_owned()]].concat()) => from.to_vec(),
            _ => return None,
        };
        let mut rest =
            path.iter().skip(usize::from(matches!(&*path[0], "crate" | "self"))).peekable();
        while rest.next_if(|name| *name == "super").is_some() {
            module.pop();
        }
        while let Some(name) = rest.peek() {
            let below = [module.clone(), vec![(*name).clone()]].concat();
            if !self.0.contains_key(&below) {
                break;
            }
            module = below;
            rest.next();
        }
        let item: Names = rest.cloned().collect();
        let handed_on = item.first().and_then(|name| self.0[&module].exports.get(name));
        match handed_on {
            Some(path) => self.target(&module, path),
            None => Some((module, item)),
        }
    }

    /// What each module names elsewhere in its crate: where it ends up, and as what.
    fn targets(&self) -> impl Iterator<Item = (&Names, &Module, Names, Names)> {
        self.0.iter().flat_map(move |(from, module)| {
            let targets = module.paths.iter().filter_map(|path| self.target(from, path));
            targets.map(move |(to, item)| (from, module, to, item))
        })
    }

    fn arrows(&self) -> Vec<Arrow> {
        self.targets()
            .filter_map(|(from, module, to, item)| {
                let common = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
                Some(Arrow {
                    folder: from[..common].to_vec(),
                    why: format!("{} names {}", module.file, [&to[..], &item].concat().join("::")),
                    from: from.get(common)?.clone(),
                    to: to.get(common)?.clone(),
                })
            })
            .collect()
    }

    fn upward(&self) -> Vec<String> {
        self.targets()
            .filter(|(from, _, to, item)| {
                from.starts_with(to) && from.len() > to.len() && !item.is_empty()
            })
            .map(|(_, module, to, item)| {
                format!("{} names {}", module.file, [&to[..], &item].concat().join("::"))
            })
            .collect()
    }
}

/// The modules that a file declares.
fn children(file: &File) -> Vec<String> {
    let is_child = |item: &Item| match item {
        Item::Mod(child) if child.content.is_none() && !is_for_tests(&child.attrs) => {
            Some(child.ident.to_string())
        }
        _ => None,
    };
    file.items.iter().filter_map(is_child).collect()
}

/// Collects the paths of a file.
#[derive(Default)]
struct Paths {
    paths: Vec<Names>,
    exports: BTreeMap<String, Names>,
}

impl Visit<'_> for Paths {
    fn visit_item_mod(&mut self, module: &ItemMod) {
        if !is_for_tests(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        let mut leaves = Vec::new();
        leaves_of(&item.tree, &mut Vec::new(), &mut leaves);
        for (name, path) in leaves {
            if matches!(item.vis, Visibility::Inherited) {
                self.paths.push(path);
            } else {
                self.exports.insert(name, path);
            }
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if matches!(&*names[0], "crate" | "super" | "self") && names.len() > 1 {
            self.paths.push(names);
        }
        syn::visit::visit_path(self, path);
    }
}

/// Each name that a `use` brings, with its path.
fn leaves_of(tree: &UseTree, above: &mut Names, leaves: &mut Vec<(String, Names)>) {
    let below = |name: &dyn ToString| [above.clone(), vec![name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves_of(&path.tree, &mut below(&path.ident), leaves),
        UseTree::Name(name) => leaves.push((name.ident.to_string(), below(&name.ident))),
        UseTree::Rename(name) => leaves.push((name.rename.to_string(), below(&name.ident))),
        UseTree::Glob(_) => leaves.push(("*".to_owned(), above.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves_of(tree, above, leaves)),
    }
}

/// Whether this is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string();
                condition == "test" || condition.starts_with("all (test")
            })
    })
}
