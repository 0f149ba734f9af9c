//! What is written is read back, and what was damaged is refused.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::proptest;

use super::*;
use crate::forest::Boosting;
use crate::forest::Classes;
use crate::forest::FEW;
use crate::forest::GrowParams;
use crate::forest::Samples;
use crate::forest::grow_classifier;
use crate::forest::grow_regressor;

static MODEL: LazyLock<Model> = LazyLock::new(model);

fn model() -> Model {
    let schema = Schema::joint(2).unwrap();
    let fills: Vec<f32> = (0..8).map(|fill| fill as f32 / 3.0).collect();
    let samples = Samples::new(schema, (0..400).map(|at| ((at * 7919) % 101) as f32).collect()).unwrap();
    let labels = (0..50)
        .map(|row| usize::from(samples.row(row)[0] > samples.row(row)[4]))
        .collect();
    let params = GrowParams {
        trees: 3,
        ..GrowParams::default()
    };
    let forest = grow_classifier(&samples, &Classes::new(labels, 2).unwrap(), &params, 1).unwrap();
    let training = Training {
        rows: 50,
        seed: 1,
        data_digest: "ab12".into(),
        command: "sylvan train ü.csv".into(),
        pipeline: String::new(),
    };
    Model::new(ModelKind::Classifier { backends: 2 }, forest, fills, training).unwrap()
}

/// The bytes of the model with those at `at` replaced, under a checksum that matches.
fn forged(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = encode(&MODEL);
    file[at..at + bytes.len()].copy_from_slice(bytes);
    resealed(file)
}

fn resealed(mut file: Vec<u8>) -> Vec<u8> {
    file.truncate(file.len().saturating_sub(CHECKSUM_LEN));
    let checksum = Sha256::digest(&file);
    file.extend(checksum);
    file
}

#[track_caller]
fn refused(file: &[u8], expected: &str) {
    let error = decode(file).unwrap_err();
    let error = format!("{error}; {}", error.remedy());
    assert!(error.contains(expected), "`{error}` does not contain `{expected}`");
}

#[test]
fn what_was_encoded_decodes_to_the_same_model_and_the_same_bytes() {
    let file = encode(&MODEL);
    assert_eq!(decode(&file).unwrap(), *MODEL);
    assert_eq!(encode(&decode(&file).unwrap()), file);
}

#[test]
fn a_pipeline_is_kept_word_for_word() {
    let training = Training {
        pipeline: "{}".to_owned(),
        ..MODEL.training().clone()
    };
    let model = Model::new(MODEL.kind(), MODEL.forest().clone(), MODEL.fills().to_vec(), training).unwrap();
    let file = encode(&model);
    assert_eq!(decode(&file).unwrap(), model);
    refused(&forged(8, &[2, 0, 0, 0]), "");
    assert_eq!((file[8], encode(&MODEL)[8]), (2, 1));
}

#[test]
fn both_forests_of_a_ranker_are_kept() {
    let schema = Schema::new(vec!["x".into()]).unwrap();
    let grown = |seed| {
        let samples = Samples::new(schema.clone(), (0..50).map(|row| row as f32).collect()).unwrap();
        let targets: Vec<f32> = (0..50).map(|row| (row * seed % 7) as f32).collect();
        let boosting = Boosting::new(1, 1.0);
        grow_regressor(&samples, &targets, &GrowParams::default().boosted(boosting), 1).unwrap()
    };
    let ranker = |pipeline: &str| {
        let training = Training {
            pipeline: pipeline.to_owned(),
            ..Training::default()
        };
        Model::new(ModelKind::Ranker, grown(2), vec![0.0], training).unwrap()
    };
    for pipeline in ["", "{}"] {
        let model = ranker(pipeline).with_among_many(grown(3)).unwrap();
        assert_eq!(decode(&encode(&model)).unwrap(), model);
        assert_ne!(encode(&model), encode(&ranker(pipeline)));
        assert_eq!(model.forest_among(FEW), &grown(2));
        assert_eq!(model.forest_among(FEW + 1), &grown(3));
    }
    let error = ranker("").with_among_many(MODEL.forest().clone()).unwrap_err();
    assert!(error.to_string().contains("of another kind"), "{error}");
    let error = MODEL.clone().with_among_many(MODEL.forest().clone()).unwrap_err();
    assert!(error.to_string().contains("of another kind"), "{error}");
}

#[test]
fn any_flipped_byte_is_refused() {
    let file = encode(&MODEL);
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 0x20;
        assert!(decode(&altered).is_err(), "byte {at}");
    }
}

#[test]
fn a_file_torn_anywhere_is_refused() {
    let file = encode(&MODEL);
    for length in 0..file.len() {
        assert!(decode(&file[..length]).is_err(), "{length} bytes");
    }
    refused(&file[..file.len() - 1], "cut short or altered");
    refused(&file[..20], "cut short or altered");
    refused(&file[..10], "cut short or altered");
}

#[test]
fn refusals_say_what_and_what_to_do() {
    refused(
        b"",
        "not a Sylvan model file; name a file that `sylvan train` or `sylvan distil` made",
    );
    refused(b"timestamp,cpu_percent", "not a Sylvan model file");
    refused(
        &forged(8, &[9, 0, 0, 0]),
        "of format 9, and this build reads formats up to 3; make the model again",
    );
    refused(&forged(12, &[7, 0, 0, 0]), "unknown kind 7");
    refused(&forged(16, &[3, 0, 0, 0]), "another kind");
    refused(&forged(36, &[255, 255, 255, 255]), "names more than it holds");
}

#[test]
fn a_model_serves_only_the_pool_it_was_trained_for() {
    assert_eq!(MODEL.check_pool(2), Ok(()));
    let error = MODEL.check_pool(3).unwrap_err();
    assert_eq!(error.to_string(), "the model is for 2 backends, the pool has 3");
    assert_eq!(error.remedy(), "train it on this pool's data set");
}

#[test]
fn a_reproduction_serves_no_pool() {
    let model = &*MODEL;
    let kind = ModelKind::Reproduction;
    let model = Model::new(
        kind,
        model.forest().clone(),
        model.fills().to_vec(),
        Training::default(),
    )
    .unwrap();
    assert_eq!(model.check_pool(2), Err(ModelError::Unservable(kind)));
}

#[test]
fn missing_features_are_filled() {
    let model = &*MODEL;
    let filled: Vec<f32> = model.fills().to_vec();
    assert_eq!(model.vote(&[f32::NAN; 8]), model.vote(&filled));
    assert_eq!(model.vote(&[]), model.vote(&filled));
}

proptest! {
    #[test]
    fn decoding_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
        let mut file = MAGIC.to_vec();
        file.extend(PREPARED.to_le_bytes());
        file.extend(bytes);
        file.extend([0; CHECKSUM_LEN]);
        let _ = decode(&resealed(file));
    }

    #[test]
    fn a_forged_file_is_refused_or_votes_without_a_panic(at: usize, bytes in vec(any::<u8>(), 1..9), row: [f32; 8]) {
        let room = encode(&MODEL).len() - CHECKSUM_LEN - bytes.len();
        let file = forged(at % room, &bytes);
        if let Ok(model) = decode(&file) {
            let _ = model.vote(&row);
            assert_eq!(encode(&model), file);
        }
    }
}
