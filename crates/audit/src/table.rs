//! Rows by key, of which a lying ledger cannot make any number.

use std::collections::BTreeMap;

/// How many rows a table has at most.
const MOST: usize = 1000;

#[derive(Debug)]
pub(crate) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    /// How often something was left out for want of a row.
    left_out: u64,
    most: usize,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), left_out: 0, most: MOST }
    }
}

impl<K, V> Table<K, V> {
    /// A table of what the register knows: that bounds it.
    pub(crate) const fn of_known() -> Self {
        Self { rows: BTreeMap::new(), left_out: 0, most: usize::MAX }
    }

    /// Notes that something has no row.
    pub(crate) const fn leave_out(&mut self) {
        self.left_out += 1;
    }
}

impl<K: Ord, V: Default> Table<K, V> {
    /// The row of a key, if there is one or room for it.
    pub(crate) fn row(&mut self, key: K) -> Option<&mut V> {
        if self.rows.len() >= self.most && !self.rows.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        Some(self.rows.entry(key).or_default())
    }

    pub(crate) fn absorb(&mut self, other: Self, add: impl Fn(&mut V, V)) {
        self.left_out += other.left_out;
        self.most = self.most.max(other.most);
        for (key, value) in other.rows {
            if let Some(row) = self.row(key) {
                add(row, value);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(crate) const fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(crate) fn into_rows(self) -> impl Iterator<Item = (K, V)> {
        self.rows.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_row_is_counted() {
        let mut table: Table<usize, u64> = Table::default();
        for key in (0..MOST + 5).chain([3]) {
            if let Some(row) = table.row(key) {
                *row += 1;
            }
        }
        assert_eq!((table.iter().count(), table.left_out()), (MOST, 5));
        let mut whole: Table<usize, u64> = Table::default();
        whole.row(MOST + 1);
        whole.absorb(table, |row, more| *row += more);
        assert_eq!((whole.iter().count(), whole.left_out()), (MOST, 6));
        assert_eq!(whole.into_rows().nth(3), Some((3, 2)));
    }
}
