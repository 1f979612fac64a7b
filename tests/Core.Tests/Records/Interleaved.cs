using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tests.Records;

/// <summary>A store in which something else happens between what a request reads and its first commit.</summary>
public class Interleaved : DispatchProxy
{
    private IWorkspaceStore store = null!;
    private Func<Task>? meanwhile;

    public static IWorkspaceStore Of(IWorkspaceStore store, Func<Task> meanwhile)
    {
        var proxy = Create<IWorkspaceStore, Interleaved>();
        ((Interleaved)proxy).store = store;
        ((Interleaved)proxy).meanwhile = meanwhile;
        return proxy;
    }

    [SuppressMessage("Reliability", "CA2012", Justification = "The caller awaits it.")]
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name is nameof(IWorkspaceStore.Commit) ? Commit((Commit)args![0]!, (CancellationToken)args[1]!) : targetMethod.Invoke(store, args);

    private async ValueTask<CommitOutcome> Commit(Commit commit, CancellationToken ct)
    {
        if (Interlocked.Exchange(ref meanwhile, null) is { } first) await first();
        return await store.Commit(commit, ct);
    }
}
