using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Search;

/// <summary>What every adapter of <see cref="ISearchIndexes"/> has to pass.</summary>
public abstract partial class SearchIndexContract
{
    private const string Contact = "contact";
    private const string Company = "company";
    private const string Activity = "activity";
    private static int partitions;

    /// <summary>The adapter under test.</summary>
    protected abstract ISearchIndexes Indexes { get; }

    /// <summary>Waits until what was written is found, where an adapter takes its time for that.</summary>
    protected virtual Task Visible() => Task.CompletedTask;

    /// <summary>The index of a workspace that has nothing.</summary>
    private ISearchIndex NewIndex(WorkspaceEnvironment environment = WorkspaceEnvironment.Live) =>
        Indexes.Open(new Partition("ws_" + Interlocked.Increment(ref partitions), environment));

    private static SearchChange Person(string id, string first, string last, long version = 1, params SearchField[] more) =>
        new(Contact, id, version, [new("first_name", Searchable.Name, first), new("last_name", Searchable.Name, last), .. more]);

    private static SearchChange With(string id, Searchable form, string text, long version = 1, string type = Contact) =>
        new(type, id, version, [new("field", form, text)]);

    private async Task Write(ISearchIndex index, params SearchChange[] changes)
    {
        await index.Write(changes, CancellationToken.None);
        await Visible();
    }

    /// <summary>The ids found, the best first.</summary>
    private static async Task<List<string>> Ids(ISearchIndex index, string text, params string[] types) =>
        [.. (await Find(index, text, types)).Hits.Select(hit => hit.Id)];

    private static async Task<SearchPage> Find(ISearchIndex index, string text, params string[] types) =>
        await index.Find(new SearchQuery(types is [] ? [Contact] : types, text, 100), CancellationToken.None);
}
