using System.Text;
using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Support.Clocks;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>
/// What every adapter of <see cref="IWorkspaceStores"/> has to pass, whatever its clock: what takes more time than a test has is in
/// <see cref="LifetimeContract"/>.
/// </summary>
public abstract partial class WorkspaceStoreContract : IAsyncLifetime
{
    private const string Contact = "contact";
    private static int partitions;

    /// <summary>What adapters are opened with.</summary>
    public static IReadOnlyList<RecordIndex> Indexes { get; } = [
        new(Contact, "created_at"), new(Contact, "email"), new(Contact, "a"), new(TypeFamily.Records, "name")];

    /// <param name="clock">What the adapter goes by, and the service behind it; null for one that stands still.</param>
    protected WorkspaceStoreContract(TimeProvider? clock = null)
    {
        Clock = clock ?? new SettableClock(SettableClock.SomeDay);
        Start = DateTimeOffset.FromUnixTimeSeconds(Clock.GetUtcNow().ToUnixTimeSeconds());
    }

    protected TimeProvider Clock { get; }

    /// <summary>When the test began, in whole seconds.</summary>
    private DateTimeOffset Start { get; }

    /// <summary>How many cases a property is held against: fewer where each call is dear.</summary>
    protected virtual int Cases => 100;

    /// <summary>The adapter under test.</summary>
    protected abstract IWorkspaceStores Stores { get; }

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A store of a workspace that holds nothing.</summary>
    private IWorkspaceStore NewStore(WorkspaceEnvironment environment = WorkspaceEnvironment.Live) =>
        Stores.Open(new Partition("ws_" + Interlocked.Increment(ref partitions), environment));

    private static Write.Insert Insert(string id, object? keys = null, string type = Contact) => new(Record(id, 1, type), Keys(keys));

    private static Write.Replace Replace(string id, long version, object? keys = null, string type = Contact) => new(Record(id, version, type), Keys(keys));

    private static StoredRecord Record(string id, long version, string type = Contact) =>
        new(type, id, version, JsonSerializer.SerializeToUtf8Bytes(new { id, version }), Encoding.UTF8.GetBytes($$"""{"secret":"{{version}}"}"""));

    private static ReadOnlyMemory<byte> Keys(object? keys) => JsonSerializer.SerializeToUtf8Bytes(keys ?? new { created_at = "2026-01-15T10:30:00Z" });

    private StoredEvent Event(string id, string recordId = "ct_1", string name = "contact.created", DateTimeOffset? at = null) =>
        new(id, name, Contact, recordId, 1, at ?? Start, JsonSerializer.SerializeToUtf8Bytes(new { id }));

    private static async Task<CommitOutcome> Commit(IWorkspaceStore store, params Write[] writes) =>
        await store.Commit(new Commit { Writes = writes }, CancellationToken.None);

    private static async Task<CommitOutcome> Commit(IWorkspaceStore store, Guard guard, params Write[] writes) =>
        await store.Commit(new Commit { Guards = [guard], Writes = writes }, CancellationToken.None);

    private static async Task<long?> Version(IWorkspaceStore store, string id, string type = Contact) =>
        (await store.Find(type, id, CancellationToken.None))?.Version;

    private static async Task<List<string>> Ids(IWorkspaceStore store, Condition where, params SortKey[] order) =>
        [.. (await store.Query(new RecordQuery(Contact, where, order is [] ? [new(new("created_at"), false)] : order, null, 1000),
            CancellationToken.None)).Records.Select(r => r.Id)];
}
