// Verifies a ledger of convenant with code that is not ours: Go's golang.org/x/mod/sumdb packages note and
// tlog, which Debian packages as golang-golang-x-mod-dev. Only the layout of the folder (C2SP tlog-tiles),
// the lines of a checkpoint (C2SP tlog-checkpoint) and cosignatures (C2SP tlog-cosignature) are read here.
//
//	main verify DIR             checkpoint, its cosignatures, every hash tile, every entry
//	main consistent OLD NEW     the tree of OLD's checkpoint is the beginning of NEW's
//
// DIR is what `convenant ledger export` writes. Of OLD only `checkpoint` and `vkeys` are read, the key of the ledger
// first and then those of witnesses.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "verify":
		return verify(args[1])
	case len(args) == 3 && args[0] == "consistent":
		return consistent(args[1], args[2])
	}
	return errors.New("usage: main verify DIR | main consistent OLD NEW")
}

func verify(dir string) error {
	tree, times, err := checkpoint(dir)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, tiles{dir})
	for n := int64(0); n < tree.N; {
		entries, err := bundle(dir, n, tree.N)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			proof, err := tlog.ProveRecord(tree.N, n, hashes)
			if err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
			n++
		}
	}
	fmt.Printf("%d entries, root %s, %d cosignatures\n", tree.N, tree.Hash, times)
	return nil
}

func consistent(old, new string) error {
	before, times, err := checkpoint(old)
	if err != nil {
		return err
	}
	after, _, err := checkpoint(new)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(after.N, before.N, tlog.TileHashReader(after, tiles{new}))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, after.N, after.Hash, before.N, before.Hash); err != nil {
		return err
	}
	fmt.Printf("the first %d of %d entries are the same, %d cosignatures\n", before.N, after.N, times)
	return nil
}

// checkpoint opens the signed note and gives the tree that it states, and how many cosignatures hold.
func checkpoint(dir string) (tree tlog.Tree, cosigned int, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, 0, err
	}
	keys, err := os.ReadFile(filepath.Join(dir, "vkeys"))
	if err != nil {
		return tree, 0, err
	}
	var verifiers []note.Verifier
	for _, key := range strings.Fields(string(keys)) {
		signer, err := note.NewVerifier(key)
		if err != nil {
			return tree, 0, err
		}
		witness, err := newCosigner(key)
		if err != nil {
			return tree, 0, err
		}
		verifiers = append(verifiers, signer, witness)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return tree, 0, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifiers[0].Name() {
		return tree, 0, fmt.Errorf("not a checkpoint of %s", verifiers[0].Name())
	}
	signed := false
	for _, sig := range opened.Sigs {
		if sig.Name == verifiers[0].Name() && sig.Hash == verifiers[0].KeyHash() {
			signed = true
		} else {
			cosigned++
		}
	}
	if !signed {
		return tree, 0, errors.New("the ledger's own key did not sign the checkpoint")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, 0, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, cosigned, err
}

// cosigner verifies cosignature/v1: Ed25519 over a line with the time and the note's text.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(parts) != 3 || len(raw) != 1+ed25519.PublicKeySize {
		return nil, fmt.Errorf("not a verifier key: %q", vkey)
	}
	raw[0] = 0x04
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	return &cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), raw[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

// tiles reads hash tiles from a folder. TileHashReader verifies them against the tree before it uses them.
type tiles struct{ dir string }

func (t tiles) Height() int                     { return height }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		// Go's layout has the height in the path, C2SP's has not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// bundle reads the entries from n to the end of its bundle in a tree of the given size.
func bundle(dir string, n, size int64) (entries [][]byte, err error) {
	tile := tlog.Tile{H: height, L: 0, N: n >> height, W: 1 << height}
	if rest := size - n; rest < 1<<height {
		tile.W = int(rest)
	}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		return nil, err
	}
	for len(data) >= 2 {
		length := 2 + int(binary.BigEndian.Uint16(data))
		if len(data) < length {
			break
		}
		entries, data = append(entries, data[2:length]), data[length:]
	}
	if len(data) != 0 || len(entries) != tile.W {
		return nil, fmt.Errorf("%s is malformed", path)
	}
	return entries, nil
}
