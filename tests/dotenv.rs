//! `.env` files are read as `dotenv/cases.toml` says; that compose reads them so too, `secrets_dotenv` proves on the rig.

#[path = "dotenv/table.rs"]
mod table;
#[path = "dotenv/texts.rs"]
mod texts;

use proptest::prelude::*;
use table::{Case, cases, ours};

#[test]
fn the_table_holds() {
    let cases = cases();
    assert!(cases.len() >= 80, "only {} cases", cases.len());
    for case in &cases {
        assert!(case.differs.is_none() || case.refused.is_some(), "{}: only what is refused differs", case.name);
        assert!(case.compose.is_none() || case.differs.is_some(), "{}: compose's values belong to a difference", case.name);
    }
    let seen = |case: &Case| match ours(&case.files) {
        Ok(values) => (Some(values), None),
        Err(refused) => {
            let first = &refused[0];
            (None, Some(format!("{} {}:{}", first.why.word(), first.line, first.column)))
        }
    };
    let wrong: Vec<_> = cases.iter().filter(|case| seen(case) != (case.values.clone(), case.refused.clone())).collect();
    let shown: Vec<_> = wrong.iter().map(|case| format!("{}: {:?}", case.name, seen(case))).collect();
    assert!(shown.is_empty(), "{} differ:\n{}", shown.len(), shown.join("\n"));
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(files in texts::files()) {
        if let Err(refused) = ours(&files) {
            let most = files.iter().map(|text| text.matches('\n').count() + 1).max().unwrap_or_default();
            prop_assert!(refused.iter().all(|refused| (1..=most).contains(&refused.line) && refused.column > 0), "{refused:?}");
        }
    }

    /// Whatever the value, there is a way to write it.
    #[test]
    fn what_is_written_is_read(value in "[^\\x00\\r]{0,40}", before in any::<bool>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
        let lead = if before { "export B='x' # y\n" } else { "" };
        let read = ours(&[format!("{lead}A=\"{escaped}\"\n")]);
        prop_assert_eq!(read.map(|values| values["A"].clone()), Ok(value));
    }
}
