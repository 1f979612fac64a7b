using System.Collections.Concurrent;
using System.Numerics;
using NodeStash.Core.Search;

namespace NodeStash.LocalHost.Search;

/// <summary>Keeps the words of one set, to find the words that a typo may stand for. One thread adds words; many look them up.</summary>
internal sealed class Vocabulary
{
    private const int MaxVariants = 40;

    private readonly Bucket[] byLength = [.. Enumerable.Range(0, Words.MaxLength + 1).Select(_ => new Bucket())];

    public int Count => byLength.Sum(bucket => bucket.Count);

    public void Add(string word) => byLength[word.Length].Add(word);

    /// <summary>Finds the words at one typo, and those at two if two are allowed, without the word itself.</summary>
    public (IReadOnlyList<string> One, IReadOnlyList<string> Two) Variants(string word, CancellationToken ct)
    {
        var (max, letters) = (Typos.Allowed(word), LettersOf(word));
        var (one, two) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        if (max == 0) return ([], []);
        for (var length = word.Length - max; length <= Math.Min(word.Length + max, Words.MaxLength); length++)
        {
            ct.ThrowIfCancellationRequested();
            foreach (var (otherLetters, other) in byLength[length].Entries)
            {
                // A typo removes and adds at most one letter, so words with more different letters need no comparison.
                if (BitOperations.PopCount(letters ^ otherLetters) > 2 * max) continue;
                switch (Typos.Distance(word, other, max))
                {
                    case 1 when one.Count < MaxVariants: one.Add(other); break;
                    case 2 when max == 2 && two.Count < MaxVariants: two.Add(other); break;
                }
            }
        }

        return ([.. one], [.. two]);
    }

    private static uint LettersOf(string word) => word.Aggregate(0u, (letters, letter) => letters | (1u << (letter & 31)));

    private sealed class Bucket
    {
        private (uint Letters, string Word)[] entries = [];
        private int count;

        public int Count => Volatile.Read(ref count);

        public ReadOnlySpan<(uint Letters, string Word)> Entries
        {
            get
            {
                // Read the count first: the array read after it has at least as many entries.
                var known = Volatile.Read(ref count);
                return Volatile.Read(ref entries).AsSpan(0, known);
            }
        }

        public void Add(string word)
        {
            var all = entries;
            if (count == all.Length) Array.Resize(ref all, Math.Max(4, count * 2));
            all[count] = (LettersOf(word), word);
            Volatile.Write(ref entries, all);
            Volatile.Write(ref count, count + 1);
        }
    }
}

/// <summary>Caches the vocabularies in use, and loads each from the file on demand.</summary>
/// <param name="load">Reads the words of a set.</param>
internal sealed class Vocabularies(Func<long, IEnumerable<string>> load)
{
    /// <summary>Maximum number of words in memory, about 100 bytes each. Beyond it, all vocabularies are dropped and loaded again on demand.</summary>
    private const int MaxWords = 2_000_000;

    /// <summary>Maximum number of words remembered as stored.</summary>
    private const int MaxWritten = 200_000;

    private readonly ConcurrentDictionary<(long Set, string Word), bool> written = new();
    private readonly Lock gate = new();
    private readonly Dictionary<long, Vocabulary> bySet = [];

    /// <summary>Whether the word is known to be in the file, so that no lookup is needed.</summary>
    public bool IsWritten(long set, string word) => written.ContainsKey((set, word));

    public Vocabulary Of(long set)
    {
        lock (gate)
        {
            if (bySet.TryGetValue(set, out var known)) return known;
            if (bySet.Values.Sum(v => v.Count) > MaxWords) bySet.Clear();
            var vocabulary = new Vocabulary();
            foreach (var word in load(set)) vocabulary.Add(word);
            return bySet[set] = vocabulary;
        }
    }

    /// <summary>Adds words. Call it once they are in the file.</summary>
    public void Add(IReadOnlyCollection<WrittenWord> words)
    {
        if (words.Count == 0) return;
        if (written.Count > MaxWritten) written.Clear();
        lock (gate)
        {
            foreach (var (set, word, isNew) in words)
            {
                written[(set, word)] = true;
                if (isNew && bySet.TryGetValue(set, out var known)) known.Add(word);
            }
        }
    }

    /// <summary>Drops the vocabulary of a set; it is loaded again on demand.</summary>
    public void Remove(long set)
    {
        lock (gate) bySet.Remove(set);
    }
}

/// <summary>Word that was written to the file.</summary>
/// <param name="Set">The number of its set.</param>
/// <param name="Word">The word.</param>
/// <param name="IsNew">Whether the set did not have it before.</param>
internal readonly record struct WrittenWord(long Set, string Word, bool IsNew);
