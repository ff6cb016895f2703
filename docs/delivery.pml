/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery.pml - the delivery of docs/delivery.md as a Promela model: an agent, a broker
 * that loses, doubles and reorders, a collector that crashes, is restored from a backup,
 * and a copy of the agent's folder that goes on by itself.
 *
 *   spin -a delivery.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * What is checked, in every state that can be reached:
 *   1. no reading is twice in the history;
 *   2. when everybody is content (each agent believes all its packs done, as the present
 *      life of the collector told it, and the history has read the journal), every
 *      reading that an agent has synced is in the history once.
 *
 * Each of these switches breaks the protocol, and the checker must find it:
 *   -DACK_EARLY      acks name what is in the journal but not synced
 *   -DNO_DEDUP       a name that was taken is taken again
 *   -DCURSOR_FIRST   the history saves its cursor before its data
 *   -DNO_FORK        another body under a taken name is taken for a duplicate
 *   -DNO_REWIND      an agent keeps its marks whoever acks
 *   -DSEND_UNSYNCED  an agent publishes what its own disk does not have yet
 *
 * -DTRIM lets the agent's disk be full: what was acked is deleted. Together with a restore
 * that loses what the backup does not have, which is a LOSS and not this model's matter.
 *
 * Bounds: NS seqs per epoch, one reading per pack, one clone; budgets of faults below.
 * A reading is its body: 1.. of agent 0, 1 + NS.. of agent 1 (the clone), but for those
 * that both have in common. Hashes are bodies: equal when these are.
 */
#ifndef NS
#define NS 2 /* seqs of an epoch */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of the collector */
#endif
#ifndef RESTORES
#define RESTORES 1 /* of the collector, from a backup */
#endif
#ifndef CLONES
#define CLONES 1
#endif
#ifndef HELLOS
#define HELLOS 3 /* sessions */
#endif
#define AGENTS 2
#define BODIES (2 * NS + 1) /* 0: none */
#define NAMES  (3 * NS)     /* epoch 0, then the own epoch of each agent */
#define LOG    8            /* records of the journal */

#define NAME(epoch, seq) ((epoch) * NS + (seq))
#define HAS(mask, seq)   (((mask) >> (seq)) & 1)

/* ---- the agents: everything here is on stable storage, but for `unsynced` ---- */
typedef agent_t {
    bool lives;
    byte body[NS];      /* of seqs of epoch 0 */
    byte count;         /* how many */
    byte own[NS];       /* of its own epoch, begun after a fork */
    byte own_from[NS];  /* 1 + the seq of epoch 0 that it was rescued from, 0: none */
    byte own_count;
    bool is_own;        /* the own epoch has begun */
    byte done, own_done;
    byte gone;          /* rescued: not sent under the old name any more */
    byte trimmed;       /* deleted, after an ack */
    byte proved;        /* so many of epoch 0 are proved to be the collector's */
    byte life;          /* of the collector that acked last */
    byte session;
    byte made;          /* readings */
    byte unsynced;      /* 1: its newest pack is not on its disk yet */
};
agent_t agent[AGENTS];
byte connected = 0; /* which agent the broker serves; a second one takes over */
byte session = 0;

/* ---- the broker: what is on its way, any number of times ---- */
bool sent[AGENTS * NS];     /* packs of epoch 0, by branch */
bool sent_own[AGENTS * NS];

/* ---- the collector ---- */
byte name[LOG];  /* the journal: name, */
byte body[LOG];  /* and body; */
byte from[LOG];  /* 1 + seq of epoch 0 that the pack was rescued from */
byte written, synced;
bool forked, forked_synced;
byte life = 1;
byte hist[BODIES]; /* the history: how often; */
byte cursor;       /* and how far it has read */
bool torn;         /* CURSOR_FIRST: the cursor is ahead of the data */

byte backup_len, backup_cursor, backup_hist[BODIES];
bool backup_forked;
byte crashes = CRASHES, restores = RESTORES, clones = CLONES, hellos = HELLOS;

/* ---- one ack on its way ---- */
bool ack_there;
byte ack_session, ack_life, ack_taken, ack_own[AGENTS], ack_through, ack_hash;
bool ack_forked;

/* scratch, always 0 between steps */
hidden byte i, j, k, n, found, other;

#define b_of(x, s) agent[x].body[s]

/* Which record has that name: `found` is 1 + its index, 0: none. */
inline find(what, upto)
{
    found = 0;
    i = 0;
    do
    :: i < (upto) && name[i] == what -> found = i + 1; break
    :: i < (upto) && name[i] != what -> i++
    :: i >= upto -> break
    od
}

/* Whether seq s of epoch 0 is closed by a pack that was rescued from it. */
inline closed(s, upto)
{
    other = 0;
    i = 0;
    do
    :: i < upto && from[i] == (s) + 1 -> other = 1; break
    :: i < upto && from[i] != (s) + 1 -> i++
    :: i >= upto -> break
    od
}

/* A pack comes in: fits, is a duplicate, or another branch. */
inline take(what, which, previous_name, previous_body, rescued_from)
{
    find(what, written);
    if
    :: found != 0 ->
       if
       :: body[found - 1] == which ->
#ifdef NO_DEDUP
          if
          :: written < LOG -> name[written] = what; body[written] = which; from[written] = 0; written++
          :: else -> skip
          fi
#else
          skip
#endif
       :: else ->
#ifdef NO_FORK
          skip
#else
          forked = true
#endif
       fi
    :: else ->
       n = 0;
       if
       :: previous_body != 0 ->
          find(previous_name, written);
          if
          :: found != 0 && body[found - 1] != previous_body -> n = 1
          :: else -> skip
          fi
       :: else -> skip
       fi;
#ifdef NO_FORK
       n = 0;
#endif
       if
       :: n == 1 -> forked = true
       :: n == 0 && written < LOG ->
          /* a name that was closed is taken already */
          other = 0;
          if
          :: what < NS -> closed(what, written)
          :: else -> skip
          fi;
          if
          :: other == 1 -> skip
          :: else ->
             name[written] = what; body[written] = which; from[written] = rescued_from; written++;
             if
             :: rescued_from != 0 -> forked = true
             :: else -> skip
             fi
          fi
       :: else -> skip
       fi;
       n = 0
    fi;
    found = 0; other = 0; i = 0
}

/* What an ack says: all that is synced. */
inline make_ack(upto)
{
    ack_there = true;
    ack_session = session;
    ack_life = life;
    ack_taken = 0; ack_own[0] = 0; ack_own[1] = 0;
    ack_through = 0; ack_hash = 0;
    j = 0;
    do
    :: j < upto ->
       if
       :: name[j] < NS -> ack_taken = ack_taken | (1 << name[j])
       :: name[j] >= NS && name[j] < 2 * NS ->
          ack_own[0] = ack_own[0] | (1 << (name[j] - NS))
       :: else -> ack_own[1] = ack_own[1] | (1 << (name[j] - 2 * NS))
       fi;
       if
       :: from[j] != 0 -> ack_taken = ack_taken | (1 << (from[j] - 1))
       :: else -> skip
       fi;
       j++
    :: else -> break
    od;
    do
    :: ack_through < NS && HAS(ack_taken, ack_through) -> ack_through++
    :: else -> break
    od;
#ifdef NO_FORK
    ack_forked = false;
#else
    ack_forked = forked_synced;
    if
    :: ack_through > 0 && !ack_forked ->
       find(ack_through - 1, upto);
       if
       :: found != 0 -> ack_hash = body[found - 1]
       :: else -> skip
       fi
    :: else -> skip
    fi;
#endif
    found = 0; i = 0; j = 0
}

/* Begins the own epoch, once, and takes along what was not proved, as often as needed. */
inline fork_away(x)
{
    agent[x].is_own = true;
    j = agent[x].proved;
    do
    :: j < agent[x].count && HAS(agent[x].gone, j) -> j++
    :: j < agent[x].count && !HAS(agent[x].gone, j) && agent[x].own_count < NS ->
       agent[x].own[agent[x].own_count] = agent[x].body[j];
       agent[x].own_from[agent[x].own_count] = j + 1;
       agent[x].own_count++;
       agent[x].gone = agent[x].gone | (1 << j);
       j++
    :: else -> break
    od;
    j = 0
}

inline take_ack(x)
{
#ifndef NO_REWIND
    if
    :: agent[x].life != ack_life ->
       agent[x].done = 0; agent[x].own_done = 0; agent[x].life = ack_life;
       agent[x].proved = 0
    :: else -> skip
    fi;
#else
    agent[x].life = ack_life;
#endif
    n = 0;
    if
    :: ack_forked -> n = 1
    :: !ack_forked && ack_hash != 0 ->
       if
       :: ack_through > agent[x].count -> n = 1
       :: else ->
          if
          :: agent[x].body[ack_through - 1] != ack_hash -> n = 1
          :: else ->
             if
             :: ack_through > agent[x].proved -> agent[x].proved = ack_through
             :: else -> skip
             fi
          fi
       fi
    :: else -> skip
    fi;
    agent[x].own_done = agent[x].own_done | ack_own[x];
    if
    :: n == 1 -> fork_away(x)
    :: else -> skip
    fi;
    agent[x].done = agent[x].done | ack_taken;
    n = 0
}

inline crash()
{
    written = synced; forked = forked_synced;
    j = synced;
    do
    :: j < LOG -> name[j] = 0; body[j] = 0; from[j] = 0; j++
    :: else -> break
    od;
    j = 0;
    life++;
    torn = false
}

inline connect(x)
{
    hellos--; session++; connected = x; agent[x].session = session
}

/* Readings that an agent has promised. */
inline content(x)
{
    n = n & (!agent[x].lives || (agent[x].life == life && agent[x].unsynced == 0));
    k = 0;
    do
    :: k < agent[x].count ->
       n = n & (!agent[x].lives || HAS(agent[x].done, k) ||
                HAS(agent[x].gone, k) || HAS(agent[x].trimmed, k));
       k++
    :: else -> break
    od;
    k = 0;
    do
    :: k < agent[x].own_count ->
       n = n & (!agent[x].lives || HAS(agent[x].own_done, k));
       k++
    :: else -> break
    od;
    k = 0
}

inline all_there(x)
{
    k = 0;
    do
    :: agent[x].lives && k < agent[x].count ->
       assert(hist[agent[x].body[k]] == 1);
       k++
    :: else -> break
    od;
    k = 0;
    do
    :: agent[x].lives && k < agent[x].own_count ->
       assert(hist[agent[x].own[k]] == 1);
       k++
    :: else -> break
    od;
    k = 0
}

active proctype world()
{
    byte x, s;
    agent[0].lives = true;
    do
    /* a reading, synced at once; a new pack */
    :: d_step { agent[0].made < NS && !agent[0].is_own && agent[0].count < NS &&
                agent[0].unsynced == 0 ->
       agent[0].made++;
       agent[0].body[agent[0].count] = agent[0].made;
#ifdef SEND_UNSYNCED
       agent[0].unsynced = 1;
#endif
       agent[0].count++ }
    :: d_step { agent[1].lives && agent[1].made < 1 && !agent[1].is_own &&
                agent[1].count < NS ->
       agent[1].made++;
       agent[1].body[agent[1].count] = NS + agent[1].made;
       agent[1].count++ }
#ifdef SEND_UNSYNCED
    :: d_step { agent[0].unsynced == 1 -> agent[0].unsynced = 0 }
    /* a power cut: the pack was never there, the next one takes its name */
    :: d_step { agent[0].unsynced == 1 && agent[0].made < NS ->
       agent[0].unsynced = 0; agent[0].count--; agent[0].body[agent[0].count] = 0 }
#endif
    /* the folder is copied */
    :: d_step { clones > 0 && !agent[0].is_own && agent[0].unsynced == 0 ->
       clones--;
       agent[1].lives = true;
       agent[1].count = agent[0].count;
       agent[1].done = agent[0].done;
       agent[1].proved = agent[0].proved;
       agent[1].life = agent[0].life;
       j = 0;
       do
       :: j < NS -> agent[1].body[j] = agent[0].body[j]; j++
       :: else -> break
       od;
       j = 0 }
#ifdef TRIM
    /* the disk is full: what was acked goes */
    :: d_step { agent[0].trimmed != agent[0].done && !agent[0].is_own ->
       agent[0].trimmed = agent[0].trimmed | agent[0].done }
#endif
    /* a session begins */
    :: d_step { hellos > 0 -> connect(0) }
    :: d_step { hellos > 0 && agent[1].lives -> connect(1) }
    /* whoever is connected publishes what is not done */
    :: atomic { agent[connected].session == session && session > 0 ->
       x = connected;
       s = 0;
       do
       :: s < agent[x].count && !HAS(agent[x].done, s) && !HAS(agent[x].gone, s) &&
          !HAS(agent[x].trimmed, s) ->
          sent[x * NS + s] = true; break
       :: s < agent[x].own_count && !HAS(agent[x].own_done, s) ->
          sent_own[x * NS + s] = true; break
       :: s + 1 < NS -> s++
       :: s + 1 >= NS -> break
       od;
       x = 0; s = 0 }
    /* the broker delivers, and may keep it to deliver it again */
    :: atomic {
       x = 0; s = 0;
       do
       :: x == 0 && agent[1].lives -> x = 1
       :: s + 1 < NS -> s++
       :: break
       od;
       if
       :: sent[x * NS + s] ->
          d_step {
             if
             :: s > 0 -> take(NAME(0, s), b_of(x, s), NAME(0, s - 1), b_of(x, s - 1), 0)
             :: else -> take(NAME(0, s), b_of(x, s), 0, 0, 0)
             fi
          };
          if
          :: sent[x * NS + s] = false
          :: skip
          fi
       :: sent_own[x * NS + s] ->
          d_step { take(NAME(1 + x, s), agent[x].own[s], 0, 0, agent[x].own_from[s]) };
          if
          :: sent_own[x * NS + s] = false
          :: skip
          fi
       :: else -> skip
       fi;
       x = 0; s = 0 }
    /* the collector syncs, acks, and its history reads on */
    :: d_step { synced < written || forked != forked_synced ->
       synced = written; forked_synced = forked }
    :: d_step { session > 0 ->
#ifdef ACK_EARLY
       make_ack(written)
#else
       make_ack(synced)
#endif
       }
#ifdef CURSOR_FIRST
    :: d_step { cursor < synced && !torn -> torn = true; cursor++ }
    :: d_step { torn -> hist[body[cursor - 1]]++; torn = false }
#else
    :: d_step { cursor < synced ->
       /* what was rescued is looked up: its readings may be in under the old name */
       if
       :: from[cursor] != 0 && hist[body[cursor]] > 0 -> skip
       :: else -> hist[body[cursor]]++
       fi;
       cursor++ }
#endif
    /* an ack arrives; or is lost, when the next one takes its place */
    :: d_step { ack_there && agent[connected].session == session &&
       ack_session == session ->
       take_ack(connected);
       ack_there = false }
    /* backup, restore, crash */
    :: d_step { restores > 0 && backup_len != synced && !torn ->
       backup_len = synced; backup_forked = forked_synced; backup_cursor = cursor;
       j = 0;
       do
       :: j < BODIES -> backup_hist[j] = hist[j]; j++
       :: else -> break
       od;
       j = 0 }
    :: d_step { crashes > 0 -> crashes--; crash() }
    :: d_step { restores > 0 ->
       restores--;
       synced = backup_len; forked_synced = backup_forked; cursor = backup_cursor;
       j = 0;
       do
       :: j < BODIES -> hist[j] = backup_hist[j]; j++
       :: else -> break
       od;
       j = 0;
       crash() }
    /* what must hold */
    :: d_step { cursor == synced && synced == written && !torn && session > 0 ->
       n = 1;
       content(0);
       content(1);
       if
       :: n == 1 -> n = 0; all_there(0); all_there(1)
       :: else -> n = 0
       fi;
       k = 1;
       do
       :: k < BODIES -> assert(hist[k] <= 1); k++
       :: else -> break
       od;
       k = 0 }
    od
}
