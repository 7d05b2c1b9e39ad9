// Three nodes of etcd's raft joined in memory, without disk and network, for `npm run bench -- zab --peers`.
//
// The argument names the variant. plain: one proposal after the other, as etcd proposes, messages passed by reference. encoded: every message
// is marshalled and unmarshalled on its way. batched: what is outstanding is one proposal of many entries.
//
// It says its name, then answers each line "BYTES OUTSTANDING MS" by its commits per second.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"time"

	"go.etcd.io/etcd/raft"
	pb "go.etcd.io/etcd/raft/raftpb"
	"go.etcd.io/etcd/version"
)

// compactEvery entries the logs are cut, as often as a server of Quorate saves a snapshot.
const compactEvery = 100_000

type ensemble struct {
	nodes   [3]*raft.RawNode
	stores  [3]*raft.MemoryStorage
	inboxes [3][]pb.Message
	applied [3]uint64 // entries with data
	index   [3]uint64 // of the last entry applied
	cut     uint64    // the index at which the logs were cut last
	encoded bool
}

func main() {
	raft.SetLogger(&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)})
	variant := os.Args[1]
	fmt.Printf("etcd/raft %s, %s, %s\n", version.Version, runtime.Version(), variant)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var size, outstanding, ms int
		if _, err := fmt.Sscan(lines.Text(), &size, &outstanding, &ms); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%f\n", measure(variant, size, outstanding, time.Duration(ms)*time.Millisecond))
	}
}

func measure(variant string, size, outstanding int, atLeast time.Duration) float64 {
	e := newEnsemble(variant == "encoded")
	payload := make([]byte, size)
	var proposed uint64
	start := time.Now()
	for time.Since(start) < atLeast {
		for until := proposed + 1_000; proposed < until; proposed += uint64(outstanding) {
			if variant == "batched" {
				e.proposeTogether(payload, outstanding)
			} else {
				for i := 0; i < outstanding; i++ {
					check(e.nodes[0].Propose(payload))
				}
			}
			e.run()
		}
		for _, applied := range e.applied {
			if applied != proposed {
				log.Fatalf("%d of %d were applied", applied, proposed)
			}
		}
	}
	return float64(proposed) / time.Since(start).Seconds()
}

// newEnsemble gives three voters of which the first leads. The limits are those of etcd's server.
func newEnsemble(encoded bool) *ensemble {
	e := &ensemble{encoded: encoded, cut: 1}
	founding := pb.Snapshot{Metadata: pb.SnapshotMetadata{Index: 1, Term: 1, ConfState: pb.ConfState{Voters: []uint64{1, 2, 3}}}}
	for i := range e.nodes {
		e.stores[i] = raft.NewMemoryStorage()
		check(e.stores[i].ApplySnapshot(founding))
		node, err := raft.NewRawNode(&raft.Config{
			ID:              uint64(i + 1),
			ElectionTick:    10,
			HeartbeatTick:   1,
			Storage:         e.stores[i],
			Applied:         1,
			MaxSizePerMsg:   1024 * 1024,
			MaxInflightMsgs: 512,
		})
		check(err)
		e.nodes[i] = node
	}
	check(e.nodes[0].Campaign())
	e.run()
	return e
}

func (e *ensemble) proposeTogether(payload []byte, count int) {
	entries := make([]pb.Entry, count)
	for i := range entries {
		entries[i].Data = payload
	}
	check(e.nodes[0].Step(pb.Message{Type: pb.MsgProp, From: 1, Entries: entries}))
}

// run goes on until nobody has anything to do.
func (e *ensemble) run() {
	for busy := true; busy; {
		busy = false
		for i, node := range e.nodes {
			inbox := e.inboxes[i]
			for _, message := range inbox {
				check(node.Step(message))
			}
			e.inboxes[i] = inbox[:0]
			for node.HasReady() {
				busy = true
				e.perform(i, node.Ready())
			}
		}
	}
	if e.index[0]-e.cut >= compactEvery {
		e.cut = e.index[0]
		for i, store := range e.stores {
			check(store.Compact(e.index[i]))
		}
	}
}

func (e *ensemble) perform(i int, ready raft.Ready) {
	if !raft.IsEmptyHardState(ready.HardState) {
		check(e.stores[i].SetHardState(ready.HardState))
	}
	check(e.stores[i].Append(ready.Entries))
	for _, message := range ready.Messages {
		if e.encoded {
			bytes, err := message.Marshal()
			check(err)
			message = pb.Message{}
			check(message.Unmarshal(bytes))
		}
		to := message.To - 1
		e.inboxes[to] = append(e.inboxes[to], message)
	}
	for _, entry := range ready.CommittedEntries {
		if len(entry.Data) > 0 {
			e.applied[i]++
		}
		e.index[i] = entry.Index
	}
	e.nodes[i].Advance(ready)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
