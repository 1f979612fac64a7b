using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Core.Tenancy;

/// <summary>Identifies who makes a request, and holds the only data it can reach.</summary>
/// <param name="Actor">The id of the credential, <c>key_…</c></param>
/// <param name="Source">The kind of credential; events name it as the source of changes.</param>
/// <param name="Scopes">The scopes granted to the credential.</param>
/// <param name="Store">The partition that the credential opens, without its archived records.</param>
/// <param name="WorkspaceStore">The data that both environments share, i.e. the API keys: stored in the live partition.</param>
/// <param name="Search">Searches the partition that the credential opens.</param>
public sealed record Caller(
    string Actor, ChangeSource Source, IReadOnlyList<string> Scopes, ArchiveFilter Store, IWorkspaceStore WorkspaceStore, RecordSearch Search)
{
    /// <summary>The partition that the credential opens.</summary>
    public Partition Partition => Store.Partition;

    /// <summary>Whether the granted scopes cover a scope.</summary>
    public bool May(Scope scope) => scope.IsCoveredBy(Scopes);
}
