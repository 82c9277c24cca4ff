#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::{Changes, MODE_FILE, MODE_TREE, Tree};
use git2::{ObjectType, Oid};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id(number: u8) -> Oid {
    Oid::hash_object(ObjectType::Blob, &[number]).unwrap()
}

/// Names of which one often begins with another, and files and directories of the same name.
fn changes() -> impl Strategy<Value = Changes> {
    let name = proptest::string::string_regex("[ab./0-]{1,3}")
        .unwrap()
        .prop_map(|name| name.replace('/', "~"));
    let entry = proptest::option::weighted(0.7, (any::<bool>(), any::<u8>()));
    proptest::collection::btree_map(name.prop_map(String::into_bytes), entry, 0..20).prop_map(
        |map| {
            map.into_iter()
                .map(|(name, entry)| {
                    let entry = entry.map(|(tree, number)| {
                        (if tree { MODE_TREE } else { MODE_FILE }, id(number))
                    });
                    (name, entry)
                })
                .collect()
        },
    )
}

type Model = BTreeMap<Vec<u8>, (u32, Oid)>;

fn model(tree: &Tree) -> Model {
    tree.iter()
        .map(|entry| (entry.name.to_vec(), (entry.mode, entry.id)))
        .collect()
}

proptest! {
    #[test]
    fn splicing_equals_building_anew(first in changes(), second in changes()) {
        let tree = Tree::default().with(&first);
        let changed = tree.with(&second);
        let mut expected = model(&tree);
        for (name, entry) in &second {
            match entry {
                Some(entry) => expected.insert(name.clone(), *entry),
                None => expected.remove(name),
            };
        }
        prop_assert_eq!(model(&changed), expected.clone());
        let anew: Changes = expected.iter().map(|(name, entry)| (name.clone(), Some(*entry))).collect();
        let made = Tree::default().with(&anew);
        prop_assert_eq!(made.raw(), changed.raw());
        prop_assert_eq!(&Tree::parse(changed.raw().to_vec()).unwrap(), &changed);
        for (name, entry) in &expected {
            let found = changed.get(name).map(|entry| (entry.mode, entry.id));
            prop_assert_eq!(found.as_ref(), Some(entry));
        }
        // Outside the stretch nothing differs.
        let (mine, theirs) = tree.stretch(&changed);
        let inside: Model = tree.range(mine).map(|e| (e.name.to_vec(), (e.mode, e.id))).collect();
        let other: Model = changed.range(theirs).map(|e| (e.name.to_vec(), (e.mode, e.id))).collect();
        let (old, new) = (model(&tree), model(&changed));
        let differ = |a: &Model, b: &Model, inside: &Model| {
            a.iter().filter(|(name, entry)| b.get(*name) != Some(entry)).all(|(name, _)| inside.contains_key(name))
        };
        prop_assert!(differ(&old, &new, &inside));
        prop_assert!(differ(&new, &old, &other));
    }
}
