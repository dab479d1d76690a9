//! The parameters of a deploy: `infra/aws/samconfig.toml`.

use super::document::{Document, file, template};

/// `"Name=value",` lines below `parameter_overrides`, one list a stage.
fn overrides(config: &str) -> Vec<Vec<(String, String)>> {
    let lists = config.split("parameter_overrides = [").skip(1).filter_map(|rest| rest.split("\n]").next());
    let read = |list: &str| {
        let values = list.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
        let pairs = values.filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    lists.map(read).collect()
}

/// A parameter that a deploy names is set by it; one that it does not name stays as it is. Sending was paused, and the
/// history is in another table, because an operator decided it: no deploy undoes that.
#[test]
fn a_deploy_leaves_alone_what_an_operator_has_switched() {
    let stages = overrides(&file("infra/aws/samconfig.toml"));
    assert_eq!(stages.len(), 2);
    for stage in &stages {
        let named: Vec<_> = stage.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!named.contains(&"Sending") && !named.contains(&"HistoryTable"), "{named:?}");
    }
}

#[test]
fn a_stage_gives_all_parameters_that_have_no_default_and_no_others_than_there_are() {
    let document = Document::of(&template());
    let parameters = document.0["Parameters"].as_object().unwrap();
    for stage in overrides(&file("infra/aws/samconfig.toml")) {
        for (name, _) in &stage {
            assert!(parameters.contains_key(name), "there is no parameter {name}");
        }
        for (name, parameter) in parameters {
            let given = stage.iter().any(|(given, _)| given == name);
            assert!(given || parameter.get("Default").is_some(), "{name} has no value");
        }
    }
}
