using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.LocalHost.Search;

namespace NodeStash.Bench;

/// <summary>The index alone: how long it takes to fill, how fast it answers, and whether it finds what was meant.</summary>
internal static class IndexBench
{
    private const int Batch = 500;
    private const int Queries = 2000;
    private const int Seed = 7;

    public static async Task Run(int contacts)
    {
        var folder = Directory.CreateTempSubdirectory("nodestash-bench-");
        try
        {
            using var file = SearchFile.Open(Path.Combine(folder.FullName, "search.db"), NullLogger.Instance);
            var index = new EmbeddedSearchIndexes(file, TimeProvider.System).Open(new Partition("ws_bench", WorkspaceEnvironment.Live));
            var people = People.Make(contacts, Seed);
            var (start, cpu) = (TimeProvider.System.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await index.BeginRebuild("bench", CancellationToken.None);
            foreach (var batch in people.Chunk(Batch)) await index.Fill("bench", [.. batch.Select(person => person.Change())], CancellationToken.None);
            await index.EndRebuild("bench", CancellationToken.None);
            var size = new FileInfo(Path.Combine(folder.FullName, "search.db")).Length / 1048576.0;
            Console.WriteLine(
                $"{contacts:N0} contacts indexed in {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s "
                    + $"({(Environment.CpuUsage.TotalTime - cpu).TotalSeconds:0.0} s of CPU), {size:0} MB");

            Console.WriteLine($"{"searched for",-28} {"p50 ms",8} {"p99 ms",8} {"max ms",8} {"hits",6} {"recall@10",10}");
            foreach (var kind in Kinds(people)) await Measure(kind, index, people);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <param name="Name">As printed.</param>
    /// <param name="Of">The text for a person; null where the kind does not suit it.</param>
    /// <param name="IsName">Whether the person, or a namesake, is what it should find.</param>
    private sealed record Kind(string Name, Func<Person, Random, string?> Of, bool IsName = false);

    private static IEnumerable<Kind> Kinds(IReadOnlyList<Person> people)
    {
        yield return new("first and last name", (p, _) => $"{p.First} {p.Last}", IsName: true);
        yield return new("last name, first begun", (p, _) => $"{p.Last} {p.First[..Math.Min(3, p.First.Length)]}");
        yield return new("last name", (p, _) => p.Last);
        yield return new("one letter", (p, _) => p.First[..1]);
        yield return new("three letters", (p, _) => p.First[..Math.Min(3, p.First.Length)]);
        yield return new("one typo per word", (p, random) => Mistype(p, random, max: 1), IsName: true);
        yield return new("two typos per word", (p, random) => Mistype(p, random, max: 2), IsName: true);
        yield return new(
            "one typo, last name alone", (p, random) => Words.Of(p.Last) is [{ Text.Length: >= 4 } word] ? new Mistyping(random).Of(word.Text, 1) : null);
        yield return new("email", (p, _) => p.Email);
        yield return new("part of the email", (p, random) => p.Email.Substring(random.Next(3), 9));
        yield return new("domain of the email", (p, _) => p.Email[(p.Email.IndexOf('@', StringComparison.Ordinal) + 1)..]);
        yield return new("phone, digits only", (p, _) => Words.Digits(p.Phone) is { Length: > 6 } digits ? digits[1..] : null);
        yield return new("title", (p, _) => p.Title);
        yield return new("nothing that exists", (p, _) => $"qxzvw {p.Last}");
    }

    /// <summary>
    /// Each word as many edits off as a word of its length may be, and no more than asked for; for two, of people with a word of eight letters.
    /// </summary>
    private static string? Mistype(Person person, Random random, int max)
    {
        var words = Words.Of($"{person.First} {person.Last}").ConvertAll(word => word.Text);
        if (words.Count < 2 || words.Max(Typos.Allowed) < max || words.Min(Typos.Allowed) < 1) return null;
        var mistyping = new Mistyping(random);
        return string.Join(' ', words.Select(word => mistyping.Of(word, Math.Min(max, Typos.Allowed(word)))));
    }

    private static async Task Measure(Kind kind, ISearchIndex index, IReadOnlyList<Person> people)
    {
        var (random, took, hits, recall, asked) = (new Random(Seed), new List<double>(), 0L, 0.0, 0);
        var byName = people.ToLookup(p => (p.First, p.Last));
        while (asked < Queries)
        {
            var sought = people[random.Next(people.Count)];
            if (kind.Of(sought, random) is not { } text) continue;
            asked++;
            var start = TimeProvider.System.GetTimestamp();
            var page = await index.Find(new SearchQuery(["contact"], text, 20), CancellationToken.None);
            took.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            hits += page.Hits.Count;
            var namesakes = byName[(sought.First, sought.Last)].Select(p => p.Id).ToHashSet(StringComparer.Ordinal);
            recall += page.Hits.Take(10).Count(hit => namesakes.Contains(hit.Id)) / (double)Math.Min(10, namesakes.Count);
        }

        took.Sort();
        Console.WriteLine(
            $"{kind.Name,-28} {took[took.Count / 2],8:0.00} {took[took.Count * 99 / 100],8:0.00} {took[^1],8:0.00} {hits / (double)asked,6:0.0} "
                + $"{(kind.IsName ? (recall / asked).ToString("P1", CultureInfo.InvariantCulture) : ""),10}");
    }
}
