//! What a disk holds: names and bytes, all of it durable. A disk boots from one and a power cut
//! leaves one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::Result;
use ese_os::{Fs, OpenMode};

use crate::{
    content::Content,
    random::{hash_bytes, mix},
};

/// The durable state of a whole disk. A copy shares all bytes with the original.
#[derive(Clone, Debug)]
pub struct Image {
    pub(crate) nodes: BTreeMap<Arc<Path>, ImageNode>,
}

#[derive(Clone, Debug)]
pub(crate) enum ImageNode {
    Dir,
    File(Arc<Content>),
}

impl Default for Image {
    fn default() -> Image {
        Image::empty()
    }
}

impl Image {
    /// A formatted disk: the root directory and nothing else.
    #[must_use]
    pub fn empty() -> Image {
        Image { nodes: BTreeMap::from([(Arc::from(Path::new("/")), ImageNode::Dir)]) }
    }

    /// Equal for equal names and bytes; different otherwise, except by a chance of 2^-64.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hash = 0;
        for (path, node) in &self.nodes {
            hash = mix(hash, hash_bytes(path.as_os_str().as_encoded_bytes()));
            hash = mix(
                hash,
                match node {
                    ImageNode::Dir => 1,
                    ImageNode::File(content) => content.hash(),
                },
            );
        }
        hash
    }

    /// The files with their lengths, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            ImageNode::Dir => None,
            ImageNode::File(content) => Some((&**path, content.len())),
        })
    }

    /// The bytes of a file, if there is one of that path.
    #[must_use]
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        match self.nodes.get(path)? {
            ImageNode::Dir => None,
            ImageNode::File(content) => Some(content.to_vec()),
        }
    }

    /// Adds or replaces a file, with its directories.
    pub fn insert(&mut self, path: &Path, bytes: &[u8]) {
        for dir in path.ancestors().skip(1) {
            self.nodes.entry(Arc::from(dir)).or_insert(ImageNode::Dir);
        }
        self.nodes.insert(Arc::from(path), ImageNode::File(Arc::new(Content::new(bytes))));
    }

    /// Takes a file away. False if there was none.
    pub fn remove(&mut self, path: &Path) -> bool {
        match self.nodes.get(path) {
            Some(ImageNode::File(_)) => self.nodes.remove(path).is_some(),
            _ => false,
        }
    }

    /// Changes the bytes of a file (bit rot, a lost or misplaced page). False if there is no such
    /// file or its length changed hands: the closure sees exactly the range, cut at the end.
    pub fn damage(
        &mut self,
        path: &Path,
        offset: u64,
        len: usize,
        change: impl FnOnce(&mut [u8]),
    ) -> bool {
        let Some(ImageNode::File(content)) = self.nodes.get_mut(path) else { return false };
        let left = crate::index(content.len().saturating_sub(offset));
        let mut bytes = vec![0; len.min(left)];
        content.read(offset, &mut bytes);
        change(&mut bytes);
        Arc::make_mut(content).put(offset, &bytes);
        true
    }

    /// Copies everything below a directory of another file system, to look at it with tools.
    pub fn export(&self, fs: &dyn Fs, to: &Path) -> Result<()> {
        for (path, node) in &self.nodes {
            let target: PathBuf = to.join(path.strip_prefix("/").unwrap_or(path));
            match node {
                ImageNode::Dir => fs.create_dir_all(&target)?,
                ImageNode::File(content) => {
                    let file = fs.open(&target, OpenMode::CreateNew)?;
                    file.write_at(&content.to_vec(), 0)?;
                }
            }
        }
        Ok(())
    }

    /// Drops names whose directory is missing: they cannot be reached.
    pub(crate) fn drop_orphans(&mut self) {
        let mut kept: BTreeMap<Arc<Path>, ImageNode> = BTreeMap::new();
        // Sorted order names a directory before what it holds.
        for (path, node) in std::mem::take(&mut self.nodes) {
            let reachable =
                path.parent().is_none_or(|dir| matches!(kept.get(dir), Some(ImageNode::Dir)));
            if reachable {
                kept.insert(path, node);
            }
        }
        self.nodes = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ese_os::Env;

    #[test]
    fn images_with_equal_files_hash_equal() {
        let mut a = Image::empty();
        let mut b = Image::empty();
        a.insert(Path::new("/x/1"), b"one");
        a.insert(Path::new("/x/2"), b"two");
        b.insert(Path::new("/x/2"), b"two");
        b.insert(Path::new("/x/1"), b"one");
        assert_eq!(a.hash(), b.hash());
        assert!(b.damage(Path::new("/x/1"), 1, 10, |bytes| bytes[0] ^= 1));
        assert_ne!(a.hash(), b.hash());
        assert_eq!(b.read(Path::new("/x/1")).unwrap(), b"ooe");
        assert!(a.remove(Path::new("/x/1")));
        assert!(!a.remove(Path::new("/x/1")));
        assert_eq!(a.files().collect::<Vec<_>>(), [(Path::new("/x/2"), 3)]);
    }

    #[test]
    fn swapped_contents_are_another_image() {
        let mut a = Image::empty();
        let mut b = Image::empty();
        a.insert(Path::new("/1"), b"one");
        a.insert(Path::new("/2"), b"two");
        b.insert(Path::new("/1"), b"two");
        b.insert(Path::new("/2"), b"one");
        assert_ne!(a.hash(), b.hash());
    }

    #[test]
    fn an_image_can_be_looked_at_on_the_real_disk() {
        let mut image = Image::empty();
        image.insert(Path::new("/db/a"), b"abc");
        let dir = tempfile::tempdir().unwrap();
        let env = Env::real();
        image.export(&*env.fs, dir.path()).unwrap();
        let file = env.fs.open(&dir.path().join("db/a"), OpenMode::Read).unwrap();
        let mut bytes = [0; 3];
        file.read_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"abc");
    }
}
