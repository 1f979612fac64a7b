using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tenancy;

/// <summary>Who makes a request, and the only data it can reach.</summary>
/// <param name="Actor">The credential's id, <c>key_…</c>.</param>
/// <param name="Source">What kind of credential it is: where its changes come from.</param>
/// <param name="Scopes">What the credential may do.</param>
/// <param name="Store">The environment the credential opens, without its archived records.</param>
/// <param name="WorkspaceStore">The data of the workspace itself (its keys), which both environments share.</param>
/// <param name="Search">Searches that environment.</param>
public sealed record Caller(
    string Actor, ChangeSource Source, IReadOnlyList<string> Scopes, ArchiveFilter Store, IWorkspaceStore WorkspaceStore, RecordSearch Search)
{
    public Partition Partition => Store.Partition;

    public bool May(Scope scope) => scope.IsCoveredBy(Scopes);
}
