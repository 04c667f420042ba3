//! A sorted map that copies cheaply: copies share what is the same in them.
//!
//! Whoever decides with a register holds the state of that moment, while the next document makes the next
//! one. With maps that copy all they hold, each document would cost as much as there are documents.

use std::{borrow::Borrow, sync::Arc};

/// Most entries of a chunk. Adding one to a shared map copies a chunk, and one pointer for each chunk.
const MOST: usize = 256;

/// A sorted map whose copies share chunks of it until one of them changes.
#[derive(Clone, Debug)]
pub struct SharedMap<K, V> {
    // Chunks are never empty, and sorted, as is what is in them.
    chunks: Arc<Vec<Chunk<K, V>>>,
    len: usize,
}

type Chunk<K, V> = Arc<Vec<(K, V)>>;

/// Where an entry is, or would have to be: its chunk, and its place in that.
type Place = (usize, usize);

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Arc::default(), len: 0 }
    }
}

impl<K: Ord, V> SharedMap<K, V> {
    /// Number of entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.place(key).ok()?;
        self.chunks.get(chunk)?.get(at).map(|(_, value)| value)
    }

    /// Whether it has a key.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Every entry, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(key, value)| (key, value))
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        let begins =
            |chunk: &Chunk<K, V>| chunk.first().is_some_and(|(first, _)| first.borrow() <= key);
        let number = self.chunks.partition_point(begins).saturating_sub(1);
        let chunk = self.chunks.get(number).map_or(&[][..], |chunk| chunk);
        let at = chunk.binary_search_by(|(one, _)| one.borrow().cmp(key));
        at.map(|at| (number, at)).map_err(|at| (number, at))
    }
}

impl<K: Clone + Ord, V: Clone> SharedMap<K, V> {
    /// The value of a key, to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.place(key).ok()?;
        let chunk = Arc::make_mut(&mut self.chunks).get_mut(chunk)?;
        Arc::make_mut(chunk).get_mut(at).map(|(_, value)| value)
    }

    /// Adds an entry; whether the key is new. The value of one that is not stays.
    pub fn add(&mut self, key: K, value: V) -> bool {
        let Err((number, at)) = self.place(&key) else { return false };
        self.len += 1;
        let chunks = Arc::make_mut(&mut self.chunks);
        let last = number + 1 >= chunks.len();
        match chunks.get_mut(number) {
            Some(chunk) if !(last && at == MOST) => {
                let chunk = Arc::make_mut(chunk);
                chunk.insert(at, (key, value));
                if chunk.len() > MOST {
                    let upper = chunk.split_off(MOST / 2);
                    chunks.insert(number + 1, Arc::new(upper));
                }
            }
            // What comes in order fills its chunks.
            _ => chunks.push(Arc::new(vec![(key, value)])),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16, u8),
        Change(u16, u8),
        Copy,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = || 0..2_000_u16;
        let step = prop_oneof![
            300 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
            50 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
            1 => Just(Step::Copy),
        ];
        vec(step, 0..3_000)
    }

    fn assert_same(map: &SharedMap<u16, u8>, model: &BTreeMap<u16, u8>) {
        assert!(map.iter().eq(model.iter()));
        assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
        for key in 0..2_000 {
            assert_eq!(map.get(&key), model.get(&key));
            assert_eq!(map.contains_key(&key), model.contains_key(&key));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_holds_what_a_plain_map_holds_and_copies_stay_as_they_were(steps in steps()) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            let mut copies = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        let new = !model.contains_key(&key);
                        model.entry(key).or_insert(value);
                        prop_assert_eq!(map.add(key, value), new);
                    }
                    Step::Change(key, value) => {
                        let changed = map.get_mut(&key).map(|old| std::mem::replace(old, value));
                        prop_assert_eq!(changed, model.get_mut(&key).map(|old| std::mem::replace(old, value)));
                    }
                    Step::Copy => copies.push((map.clone(), model.clone())),
                }
            }
            copies.push((map, model));
            copies.iter().for_each(|(map, model)| assert_same(map, model));
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks() {
        let mut map = SharedMap::default();
        (0..10 * MOST).for_each(|key| assert!(map.add(key, key)));
        assert_eq!(map.chunks.len(), 10);
        let before = map.clone();
        map.add(10 * MOST, 0);
        let shared = map.chunks.iter().zip(before.chunks.iter());
        assert_eq!(shared.filter(|(new, old)| Arc::ptr_eq(new, old)).count(), 10);
    }
}
