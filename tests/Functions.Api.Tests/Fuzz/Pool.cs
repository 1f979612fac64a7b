using System.Collections.Concurrent;
using NodeStash.Core.Resources;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>Ids to aim at: a few of each kind, renewed as requests make new records, and so some of records that are gone; and cursors of lists.</summary>
internal sealed class Pool
{
    private const int OfEach = 8;

    private readonly ConcurrentDictionary<string, string[]> ids = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> stages = new(StringComparer.Ordinal);
    private readonly string[] cursors = ["bm9uc2Vuc2U", "bm9uc2Vuc2U", "bm9uc2Vuc2U", "bm9uc2Vuc2U"];
    private int next;

    public void Add(string id)
    {
        var slots = ids.GetOrAdd(PrefixOf(id), _ => Enumerable.Repeat(id, OfEach).ToArray());
        slots[(uint)Interlocked.Increment(ref next) % OfEach] = id;
    }

    public void AddStages(string pipelineId, IReadOnlyList<string> stageIds)
    {
        stages[pipelineId] = stageIds;
        foreach (var id in stageIds) Add(id);
    }

    public void AddCursor(string cursor) => cursors[(uint)Interlocked.Increment(ref next) % cursors.Length] = cursor;

    public string Cursor(Random random) => random.Pick(cursors);

    /// <summary>An id of this kind; a well-formed one of nothing where there is none.</summary>
    public string Id(Random random, string prefix) => ids.TryGetValue(prefix, out var slots) ? random.Pick(slots) : prefix + "2G6JIbxPN1LS2UBGUosT";

    /// <summary>An id of any kind.</summary>
    public string AnyId(Random random) => Id(random, random.Pick([.. ids.Keys.Order(StringComparer.Ordinal)]));

    /// <summary>A stage of the pipeline, where it is known.</summary>
    public string StageOf(Random random, string pipelineId) =>
        stages.TryGetValue(pipelineId, out var known) && known.Count > 0 ? random.Pick(known) : Id(random, Stage.Prefix);

    private static string PrefixOf(string id) => id[..(id.IndexOf('_', StringComparison.Ordinal) + 1)];
}

internal static class Choices
{
    public static T Pick<T>(this Random random, IReadOnlyList<T> of) => of[random.Next(of.Count)];

    /// <summary>True once in so many times.</summary>
    public static bool OneIn(this Random random, int times) => random.Next(times) == 0;
}
