//! Bytes and models: the file format, described in docs/models.md.
//!
//! Little-endian throughout. Decoding checks the magic, the version, the checksum, every count against the bytes that
//! are left before it allocates, and every index of the forest, so that serving cannot leave an array.

mod reader;

use sha2::Digest;
use sha2::Sha256;

use crate::forest::Forest;
use crate::forest::Model;
use crate::forest::ModelError;
use crate::forest::ModelKind;
use crate::forest::Parts;
use crate::forest::Schema;
use crate::forest::Training;
use crate::forest::codec::reader::Reader;
use crate::forest::tree::Node;

/// What a model file begins with.
pub(crate) const MAGIC: [u8; 8] = *b"SYLVANF\n";
/// Without a pipeline.
const PLAIN: u32 = 1;
/// With one behind the command.
const PREPARED: u32 = 2;
/// With a second forest behind the first, and a pipeline that may say nothing.
const TWO_FORESTS: u32 = 3;
const CHECKSUM_LEN: usize = 32;

const CLASSIFIER: u32 = 1;
const REPRODUCTION: u32 = 2;
const RANKER: u32 = 3;

/// The bytes of `model`, as a file has them.
#[must_use]
pub fn encode(model: &Model) -> Vec<u8> {
    let schema = model.forest().schema();
    let mut out = MAGIC.to_vec();
    let version = match model.among_many() {
        Some(_) => TWO_FORESTS,
        None if model.training().pipeline.is_empty() => PLAIN,
        None => PREPARED,
    };
    put_u32(&mut out, version);
    put_kind(&mut out, model.kind());
    put_training(&mut out, model.training(), version);
    out.extend(schema.digest().to_le_bytes());
    put_u32(&mut out, schema.width() as u32);
    for (name, fill) in schema.names().iter().zip(model.fills()) {
        put_text(&mut out, name);
        out.extend(fill.to_le_bytes());
    }
    put_forest(&mut out, model.forest());
    if let Some(forest) = model.among_many() {
        put_forest(&mut out, forest);
    }
    let checksum = Sha256::digest(&out);
    out.extend(checksum);
    out
}

/// The model that `bytes` are.
///
/// # Errors
/// When they are no model file, of another format version, torn or altered, or describe no possible forest.
pub fn decode(bytes: &[u8]) -> Result<Model, ModelError> {
    let after_magic = bytes.strip_prefix(&MAGIC).ok_or(ModelError::NotAModel)?;
    let version = Reader::new(after_magic).u32().map_err(|_| ModelError::Checksum)?;
    if !(PLAIN..=TWO_FORESTS).contains(&version) {
        return Err(ModelError::Version {
            found: version,
            known: TWO_FORESTS,
        });
    }
    let (content, checksum) = bytes
        .len()
        .checked_sub(CHECKSUM_LEN)
        .map(|end| bytes.split_at(end))
        .ok_or(ModelError::Checksum)?;
    if Sha256::digest(content).as_slice() != checksum {
        return Err(ModelError::Checksum);
    }
    let mut reader = Reader::new(content);
    reader.skip(MAGIC.len() + size_of::<u32>())?;
    let model = take_model(&mut reader, version)?;
    reader.end()?;
    Ok(model)
}

fn take_model(reader: &mut Reader, version: u32) -> Result<Model, ModelError> {
    let kind = take_kind(reader)?;
    let training = take_training(reader, version)?;
    let (schema, fills) = take_features(reader)?;
    let forest = take_forest(reader, &schema)?;
    let model = Model::new(kind, forest, fills, training)?;
    if version == TWO_FORESTS {
        model.with_among_many(take_forest(reader, &schema)?)
    } else {
        Ok(model)
    }
}

fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u32(out, text.len() as u32);
    out.extend(text.as_bytes());
}

fn put_kind(out: &mut Vec<u8>, kind: ModelKind) {
    let (tag, backends) = match kind {
        ModelKind::Classifier { backends } => (CLASSIFIER, backends as u32),
        ModelKind::Reproduction => (REPRODUCTION, 0),
        ModelKind::Ranker => (RANKER, 0),
    };
    put_u32(out, tag);
    put_u32(out, backends);
}

fn take_kind(reader: &mut Reader) -> Result<ModelKind, ModelError> {
    match (reader.u32()?, reader.u32()?) {
        (CLASSIFIER, backends) => Ok(ModelKind::Classifier {
            backends: backends as usize,
        }),
        (REPRODUCTION, 0) => Ok(ModelKind::Reproduction),
        (RANKER, 0) => Ok(ModelKind::Ranker),
        (tag, argument) => Err(ModelError::Malformed(format!("unknown kind {tag} ({argument})"))),
    }
}

fn put_training(out: &mut Vec<u8>, training: &Training, version: u32) {
    out.extend(training.rows.to_le_bytes());
    out.extend(training.seed.to_le_bytes());
    put_text(out, &training.data_digest);
    put_text(out, &training.command);
    if version != PLAIN {
        put_text(out, &training.pipeline);
    }
}

fn take_training(reader: &mut Reader, version: u32) -> Result<Training, ModelError> {
    let mut training = Training {
        rows: reader.u64()?,
        seed: reader.u64()?,
        data_digest: reader.text()?,
        command: reader.text()?,
        pipeline: String::new(),
    };
    if version != PLAIN {
        training.pipeline = reader.text()?;
    }
    if version == PREPARED && training.pipeline.is_empty() {
        return Err(ModelError::Malformed("a pipeline that says nothing".into()));
    }
    Ok(training)
}

fn take_features(reader: &mut Reader) -> Result<(Schema, Vec<f32>), ModelError> {
    let digest = reader.u64()?;
    // A feature takes eight bytes at least: the length of its name and its fill.
    let count = reader.count(8)?;
    let mut names = Vec::with_capacity(count);
    let mut fills = Vec::with_capacity(count);
    for _ in 0..count {
        names.push(reader.text()?);
        fills.push(reader.f32()?);
    }
    let schema = Schema::new(names).ok_or_else(|| ModelError::Malformed(format!("{count} features")))?;
    if schema.digest() != digest {
        return Err(ModelError::Malformed(
            "the feature names do not match their digest".into(),
        ));
    }
    Ok((schema, fills))
}

fn put_forest(out: &mut Vec<u8>, forest: &Forest) {
    let parts = forest.to_parts();
    put_u32(out, parts.outputs as u32);
    put_u32(out, parts.tree_sizes.len() as u32);
    put_u32(out, parts.distributions.len() as u32);
    put_u32(out, parts.nodes.len() as u32);
    out.extend(parts.tree_sizes.iter().flat_map(|size| size.to_le_bytes()));
    out.extend(parts.distributions.iter().flat_map(|share| share.to_le_bytes()));
    for node in &parts.nodes {
        out.extend(node.threshold.to_le_bytes());
        out.extend(node.feature.to_le_bytes());
        out.extend(node.left.to_le_bytes());
    }
}

fn take_forest(reader: &mut Reader, schema: &Schema) -> Result<Forest, ModelError> {
    let outputs = reader.u32()? as usize;
    let trees = reader.count(4)?;
    let distributions = reader.count(4)?;
    let nodes = reader.count(size_of::<Node>())?;
    let parts = Parts {
        schema: schema.clone(),
        outputs,
        tree_sizes: (0..trees).map(|_| reader.u32()).collect::<Result<_, _>>()?,
        distributions: (0..distributions).map(|_| reader.f32()).collect::<Result<_, _>>()?,
        nodes: (0..nodes).map(|_| take_node(reader)).collect::<Result<_, _>>()?,
    };
    Forest::from_parts(parts).map_err(ModelError::Malformed)
}

fn take_node(reader: &mut Reader) -> Result<Node, ModelError> {
    Ok(Node {
        threshold: reader.f32()?,
        feature: reader.u16()?,
        left: reader.u16()?,
    })
}

#[cfg(test)]
mod tests;
