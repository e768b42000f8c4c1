/* Random graphs of all ops, a few hundred unless told otherwise, with gradients and assignments:
 * the answers do not depend on how they are compiled. */
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "tests/autograd/random_graphs.h"
#include "tests/rounds.h"
#include "tests/tapes.h"

namespace {

enum { GRAPHS = 300, NETS = 20, RUNS = 3 };

unsigned graphs() { return static_cast<unsigned>(rounds("RECURVE_GRAPHS", GRAPHS)); }

/* All that a program shows and changes: outputs, then stored tensors, after each of its runs. */
using Trace = std::vector<Values>;

template <class Graph> void fill_inputs(rv_program *program, const Graph &graph, uint64_t seed)
{
    for (const std::string &name : graph.inputs)
        rv_init_fill(rv_program_input(program, name.c_str()), rv_init_uniform(-1, 1),
                     rv_seed(seed, name.c_str()));
    for (const auto &[name, values] : graph.indices)
        if (rv_tensor *input = rv_program_input(program, name.c_str())) set_values(input, values);
}

void keep(Trace *trace, const rv_tensor &tensor) { trace->push_back(values_of(tensor)); }

template <class Graph = RandomGraph>
Trace run_compiled(unsigned seed, unsigned flags, rv_dtype dtype, int threads)
{
    Tape t(dtype, seed);
    EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
    const Graph graph(t, seed, true);
    Trace trace;
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    if (t.code()) return trace;
    Program p(t, graph.outputs, flags);
    fill_inputs(p, graph, seed);
    for (int run = 0; run < RUNS; run++) {
        p.run();
        for (size_t k = 0; k < graph.outputs.size(); k++)
            keep(&trace, p.tensor(static_cast<int>(k)));
        for (size_t i = 0; i < rv_store_count(t.store()); i++)
            keep(&trace, rv_store_at(t.store(), i)->tensor);
    }
    return trace;
}

/* The meaning of a program, without its assignments: everything is computed, nothing is shared, and
 * then the test itself puts the new values where they belong. */
Trace run_by_definition(unsigned seed, unsigned flags, rv_dtype dtype)
{
    Tape t(dtype, seed);
    const RandomGraph graph(t, seed, false);
    Trace trace;
    std::vector<rv_var> all = graph.outputs;
    for (const auto &assignment : graph.assignments) all.push_back(assignment.second);
    Program p(t, all, flags & ~static_cast<unsigned>(RV_EFFECTS));
    fill_inputs(p, graph, seed);
    for (int run = 0; run < RUNS; run++) {
        p.run();
        Trace next;
        for (size_t k = 0; k < all.size(); k++)
            keep(k < graph.outputs.size() ? &trace : &next, p.tensor(static_cast<int>(k)));
        for (size_t i = 0; i < next.size(); i++)
            set_values(&rv_tape_node(t, graph.assignments[i].first.id)->entry->tensor, next[i]);
        for (size_t i = 0; i < rv_store_count(t.store()); i++)
            keep(&trace, rv_store_at(t.store(), i)->tensor);
    }
    return trace;
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/* Empty when the traces agree; else where they do not. */
std::string difference(const Trace &a, const Trace &b, double tolerance)
{
    if (a.size() != b.size()) return "different numbers of tensors";
    for (size_t k = 0; k < a.size(); k++) {
        if (a[k].size() != b[k].size()) return "different shapes";
        double largest = 1e-3;
        for (const double v : a[k]) largest = std::fmax(largest, std::fabs(v));
        for (size_t i = 0; i < a[k].size(); i++) {
            const double x = a[k][i], y = b[k][i];
            if (tolerance == 0 ? same_bits(x, y) : std::fabs(x - y) <= tolerance * largest)
                continue;
            char text[128];
            std::snprintf(text, sizeof text, "tensor %zu of %zu, element %zu: %.17g and %.17g", k,
                          a.size(), i, x, y);
            return text;
        }
    }
    return "";
}

class RandomGraphs : public testing::Test {
  protected:
    /* Compares two ways to the answer on every graph, up to a few complaints. */
    template <class A, class B> void expect_equal(A one, B other, double tolerance = 0)
    {
        int complaints = 0;
        for (unsigned seed = 1; seed <= graphs() && complaints < 5; seed++) {
            const std::string where = difference(one(seed), other(seed), tolerance);
            complaints += !where.empty();
            EXPECT_EQ(where, "") << "graph " << seed;
        }
    }
    static auto compiled(unsigned flags, rv_dtype dtype = RV_F64, int threads = 1)
    {
        return [=](unsigned seed) { return run_compiled(seed, flags, dtype, threads); };
    }
    static auto defined(unsigned flags = 0, rv_dtype dtype = RV_F64)
    {
        return [=](unsigned seed) { return run_by_definition(seed, flags, dtype); };
    }
};

TEST_F(RandomGraphs, AreTameAndVaried)
{
    std::set<std::string> seen;
    int64_t assignments = 0;
    for (unsigned seed = 1; seed <= GRAPHS; seed++) {
        Tape t(RV_F64, seed);
        const RandomGraph graph(t, seed, true);
        ASSERT_EQ(t.code(), RV_OK) << "graph " << seed << ": " << t.error();
        for (int32_t id = 0; id < t.count(); id++) seen.insert(rv_tape_node(t, id)->op->name);
        seen.insert(graph.called.begin(), graph.called.end());
        assignments += static_cast<int64_t>(graph.assignments.size());
        for (const Values &values : run_by_definition(seed, 0, RV_F64))
            for (const double v : values) ASSERT_LT(std::fabs(v), 1e6) << "graph " << seed;
    }
    for (int i = 0; i < rv_op_count(); i++)
        EXPECT_TRUE(seen.count(rv_op_at(i)->name)) << rv_op_at(i)->name << " is in no graph";
    EXPECT_GT(assignments, GRAPHS);
}

TEST_F(RandomGraphs, NeedLittleMoreMemoryThanIsAliveAtOnce)
{
    double worst = 1, mean = 0;
    for (unsigned seed = 1; seed <= GRAPHS; seed++) {
        Tape t(RV_F64, seed);
        const RandomGraph graph(t, seed, true);
        const rv_program_stats stats = Program(t, graph.outputs).stats();
        ASSERT_GE(stats.arena_bytes, stats.live_bytes);
        const double ratio =
            static_cast<double>(stats.arena_bytes) / static_cast<double>(stats.live_bytes);
        worst = std::fmax(worst, ratio);
        mean += ratio / GRAPHS;
    }
    EXPECT_LE(worst, 1.1);
    EXPECT_LE(mean, 1.02);
}

TEST_F(RandomGraphs, MeanTheSameWithNoPassAtAll) { expect_equal(defined(), compiled(RV_EFFECTS)); }

TEST_F(RandomGraphs, AreTheSameBitForBitWhenMemoryIsReused)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_REUSE));
}

TEST_F(RandomGraphs, AreTheSameBitForBitWhenComputedInPlace)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_IN_PLACE));
    expect_equal(defined(), compiled(RV_EFFECTS | RV_IN_PLACE | RV_REUSE));
}

TEST_F(RandomGraphs, AreTheSameBitForBitWhenFused)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_FUSE));
    expect_equal(defined(), compiled(RV_EFFECTS | RV_FUSE | RV_REUSE));
    expect_equal(defined(), compiled(RV_EFFECTS | RV_FUSE | RV_IN_PLACE));
    expect_equal(defined(), compiled(RV_EFFECTS | RV_FUSE | RV_IN_PLACE | RV_REUSE));
}

TEST_F(RandomGraphs, AreTheSameBitForBitInF32Too)
{
    const unsigned memory_only = RV_EFFECTS | RV_FUSE | RV_IN_PLACE | RV_REUSE;
    expect_equal(defined(0, RV_F32), compiled(memory_only, RV_F32));
    expect_equal(defined(RV_SIMPLIFY | RV_MERGE, RV_F32), compiled(RV_DEFAULT, RV_F32));
}

TEST_F(RandomGraphs, AreTheSameBitForBitOnAnyNumberOfThreads)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64})
        expect_equal(compiled(RV_DEFAULT, dtype), [=](unsigned seed) {
            const int threads = 2 + static_cast<int>(seed % 7);
            return run_compiled(seed, RV_DEFAULT | RV_CUT, dtype, threads);
        });
    expect_equal(compiled(RV_EFFECTS), compiled(RV_EFFECTS | RV_CUT, RV_F64, 2));
}

TEST_F(RandomGraphs, AreTheSameWhenSimplified)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_SIMPLIFY), 1e-12);
}

TEST_F(RandomGraphs, AreTheSameWhenProductsAreAccumulated)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_MERGE), 1e-12);
}

TEST_F(RandomGraphs, AreTheSameWithAllPasses)
{
    expect_equal(defined(), compiled(RV_DEFAULT), 1e-12);
    expect_equal(defined(RV_SIMPLIFY | RV_MERGE), compiled(RV_DEFAULT));
}

TEST_F(RandomGraphs, AreTheSameBitForBitWithoutAnyOnePass)
{
    const unsigned equations = RV_SIMPLIFY | RV_MERGE;
    for (const unsigned pass : {RV_SIMPLIFY, RV_MERGE, RV_REUSE, RV_IN_PLACE, RV_FUSE})
        expect_equal(defined(equations & ~pass), compiled(RV_DEFAULT & ~pass));
}

TEST_F(RandomGraphs, AreTheSameWithReferenceKernels)
{
    expect_equal(defined(), compiled(RV_EFFECTS | RV_REFERENCE), 1e-9);
    expect_equal(defined(), compiled(RV_DEFAULT | RV_REFERENCE), 1e-9);
}

TEST_F(RandomGraphs, AreTheSameBitForBitInEveryRecording)
{
    expect_equal(compiled(RV_DEFAULT), compiled(RV_DEFAULT));
}

TEST_F(RandomGraphs, HaveHashesThatDifferByGraphAndNotByRecording)
{
    std::set<std::pair<uint64_t, uint64_t>> hashes;
    for (unsigned seed = 1; seed <= graphs(); seed++)
        for (int again = 0; again < 2; again++) {
            Tape t(RV_F64, 1);
            const RandomGraph graph(t, seed, true);
            const rv_hash h = rv_tape_hash(t, graph.outputs.data(),
                                           static_cast<int>(graph.outputs.size()), RV_DEFAULT);
            hashes.emplace(h.low, h.high);
        }
    EXPECT_EQ(hashes.size(), static_cast<size_t>(graphs()));
}

/* ---- nets ---- */

void expect_equal_nets(unsigned flags, unsigned others, rv_dtype dtype, int threads,
                       double tolerance = 0)
{
    for (unsigned seed = 1; seed <= NETS; seed++) {
        const std::string where =
            difference(run_compiled<RandomNet>(seed, flags, dtype, 1),
                       run_compiled<RandomNet>(seed, others, dtype, threads), tolerance);
        ASSERT_EQ(where, "") << "net " << seed;
    }
}

TEST(RandomNets, AreTheSameBitForBitOnAnyNumberOfThreads)
{
    for (const int threads : {1, 2, 3, 4})
        for (const rv_dtype dtype : {RV_F32, RV_F64})
            expect_equal_nets(RV_DEFAULT, RV_DEFAULT | RV_CUT, dtype, threads);
    expect_equal_nets(RV_DEFAULT, RV_DEFAULT, RV_F32, 2);
    expect_equal_nets(RV_EFFECTS, RV_EFFECTS | RV_FUSE | RV_IN_PLACE | RV_REUSE | RV_CUT, RV_F32,
                      2);
}

TEST(RandomNets, AreTheSameWithAllPasses)
{
    expect_equal_nets(RV_EFFECTS, RV_DEFAULT, RV_F64, 1, 1e-9);
}

} // namespace
