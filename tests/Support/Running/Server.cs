using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Core.Tenancy;
using NodeStash.Core.Values;
using NodeStash.LocalHost;
using NodeStash.LocalHost.Store;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Support.Running;

/// <summary>
/// The whole product in this process, on a port and in a folder of its own. Shared by the tests of a collection; each takes a workspace of its own.
/// </summary>
public class Server : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("nodestash-").FullName;
    private CrmHost? host;

    public Uri Address => Host.Address;

    /// <summary>The folder of the databases.</summary>
    public string Folder => folder;

    public IServiceProvider Services => Host.Services;

    /// <summary>The clock of everything.</summary>
    protected virtual TimeProvider Time => TimeProvider.System;

    /// <summary>What stands between the product and its search index; null for nothing.</summary>
    protected virtual Func<ISearchIndexes, ISearchIndexes>? Search => null;

    /// <summary>Puts other services in the place of the host's own.</summary>
    protected virtual void Replace(IServiceCollection services)
    {
    }

    private CrmHost Host => host ?? throw new InvalidOperationException("The server has not started.");

    public virtual async ValueTask InitializeAsync()
    {
        host = await CrmHost.Start(
            new HostSettings { Urls = "http://127.0.0.1:0", Data = folder, Quiet = true, Clock = Time, Services = Replace, Search = Search },
            CancellationToken.None);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A caller without a credential.</summary>
    public Api Anonymous => new(Address, key: null);

    /// <summary>A new workspace, and a caller who may do everything in it.</summary>
    public async Task<Workspace> NewWorkspace()
    {
        var (workspace, first) = await Services.GetRequiredService<Workspaces>().Create("Workspace of a test", "local", CancellationToken.None);
        return new Workspace(workspace.Id, new Api(Address, first.Secret));
    }

    /// <summary>An id that no record has.</summary>
    public string FreshId(string prefix) => Services.GetRequiredService<Ids>().New(prefix);

    /// <summary>Waits until every cascade in a workspace's live data has reached its last record.</summary>
    public async Task Settled(Workspace workspace)
    {
        var store = Services.GetRequiredService<IWorkspaceStores>().Open(new Partition(workspace.Id, WorkspaceEnvironment.Live));
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        while ((await PendingCascades.Read(store, Crm.Catalog, patience.Token)).Pending.Count > 0) await Task.Delay(
            TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
    }

    /// <summary>Waits until whatever has been changed so far is found by searches.</summary>
    public async Task Indexed()
    {
        var feed = Services.GetRequiredService<IChangeFeed>();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        while ((await feed.Read(await feed.Checkpoint("search", patience.Token), 1, patience.Token)).Documents.Count > 0) await Task.Delay(
            TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }

    /// <summary>Waits until rebuilds of indexes have ended, and looks meanwhile.</summary>
    public async Task Rebuilt(Func<Task<Reply>> look, Action<Reply> check)
    {
        var queues = Services.GetRequiredService<SqliteQueues>();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        while (queues.Backlog().Any(queue => queue.Name == JobQueue.Reindexes))
        {
            check(await look());
            patience.Token.ThrowIfCancellationRequested();
        }

        Assert.DoesNotContain(queues.Backlog(), queue => queue.Name.StartsWith(JobQueue.Reindexes, StringComparison.Ordinal));
    }

    /// <summary>The events of a workspace's live data, oldest first, as webhooks get them.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsOf(Workspace workspace, string? recordId = null)
    {
        var store = Services.GetRequiredService<IWorkspaceStores>().Open(new Partition(workspace.Id, WorkspaceEnvironment.Live));
        var page = await store.ReadEvents(new EventQuery(null, 1000, RecordId: recordId), CancellationToken.None);
        return [.. page.Events.Select(e => JsonElement.Parse(e.Body.Span))];
    }
}

/// <param name="Id"><c>ws_…</c></param>
/// <param name="Owner">Its first key.</param>
public sealed record Workspace(string Id, Api Owner);
