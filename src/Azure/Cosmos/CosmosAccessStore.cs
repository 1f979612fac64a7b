using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Access;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>Stores credentials and workspaces, each in its own partition.</summary>
/// <param name="client">The client of the process.</param>
/// <param name="database">The name of the database.</param>
/// <param name="clock">Times the delays between attempts.</param>
public sealed class CosmosAccessStore(CosmosClient client, string database, TimeProvider clock) : IAccessStore
{
    private readonly Container container = client.GetContainer(database, CosmosContainers.Access);

    public async ValueTask<Credential?> FindCredential(string hash, CancellationToken ct) =>
        await Find(CredentialId(hash), ct) is { } document
            ? new Credential(hash, document.GetProperty("key_id").GetString()!, document.GetProperty("workspace_id").GetString()!)
            : null;

    public ValueTask PutCredential(Credential credential, CancellationToken ct) => Put(
        CredentialId(credential.Hash),
        writer =>
        {
            writer.WriteString("key_id", credential.KeyId);
            writer.WriteString("workspace_id", credential.WorkspaceId);
        },
        ct);

    public async ValueTask RemoveCredential(string hash, CancellationToken ct)
    {
        var partition = Of(CredentialId(hash));
        await partition.Write(() => container.DeleteItemStreamAsync(CredentialId(hash), partition.Key, cancellationToken: ct), ct);
    }

    public async ValueTask<Workspace?> FindWorkspace(string id, CancellationToken ct) =>
        await Find(WorkspaceId(id), ct) is { } document
            ? new Workspace(id, document.GetProperty("name").GetString()!, document.GetProperty("plan").GetString()!,
                document.GetProperty("created_at").GetDateTimeOffset())
            : null;

    public async ValueTask<IReadOnlyList<string>> WorkspaceIds(CancellationToken ct)
    {
        var ids = new List<string>();
        using var pages = container.GetItemQueryStreamIterator(
            new QueryDefinition("SELECT c.id FROM c WHERE STARTSWITH(c.id, @kind)").WithParameter("@kind", WorkspaceId("")));
        try
        {
            while (pages.HasMoreResults)
            {
                using var answer = await ServiceErrors.Send(() => pages.ReadNextAsync(ct), ct);
                if (!answer.IsSuccessStatusCode) throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
                using var page = await JsonDocument.ParseAsync(answer.Content, cancellationToken: ct);
                ids.AddRange(
                    page.RootElement.GetProperty("Documents").EnumerateArray()
                        .Select(document => document.GetProperty("id").GetString()![WorkspaceId("").Length..]));
            }
        }
        catch (TransientException e)
        {
            throw e.ToStoreUnavailable();
        }

        return ids;
    }

    public ValueTask PutWorkspace(Workspace workspace, CancellationToken ct) => Put(
        WorkspaceId(workspace.Id),
        writer =>
        {
            writer.WriteString("name", workspace.Name);
            writer.WriteString("plan", workspace.Plan);
            writer.WriteString("created_at", workspace.CreatedAt);
        },
        ct);

    private static string CredentialId(string hash) => "credential:" + hash;

    private static string WorkspaceId(string id) => "workspace:" + id;

    private PartitionClient Of(string id) => new(container, id, clock);

    private ValueTask<JsonElement?> Find(string id, CancellationToken ct) => Of(id).Read(id, ct);

    private async ValueTask Put(string id, Action<Utf8JsonWriter> members, CancellationToken ct)
    {
        var document = JsonForm.Object(writer =>
        {
            writer.WriteString("id", id);
            members(writer);
        }).ToArray();
        var partition = Of(id);
        await partition.Write(
            () => container.UpsertItemStreamAsync(
                new MemoryStream(document, writable: false), partition.Key, new ItemRequestOptions { EnableContentResponseOnWrite = false }, ct), ct);
    }
}
