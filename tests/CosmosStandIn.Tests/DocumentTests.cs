using System.Net;
using Microsoft.Azure.Cosmos;

namespace NodeStash.CosmosStandIn.Tests;

public sealed class DocumentTests : IAsyncLifetime
{
    private readonly Fixture fixture = new();

    private Container Crm => fixture.Crm;

    public async ValueTask InitializeAsync() => await fixture.Open();

    public async ValueTask DisposeAsync() => await fixture.Close();

    [Fact]
    public async Task What_is_created_is_read_as_it_was_with_system_properties()
    {
        var created = await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1", name = "Jane", score = 1.5, none = (string?)null }, new PartitionKey("ws_1"));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);

        var read = await Crm.ReadItemAsync<Newtonsoft.Json.Linq.JObject>("ct_1", new PartitionKey("ws_1"));
        Assert.Equal("Jane", read.Resource["name"]);
        Assert.Equal(1.5, read.Resource["score"]);
        Assert.Equal(read.ETag, read.Resource["_etag"]);
        Assert.Equal(fixture.Clock.GetUtcNow().ToUnixTimeSeconds(), read.Resource["_ts"]);
        Assert.Equal(1, read.RequestCharge);
        Assert.Equal("0:-1#1", read.Headers.Session);
    }

    [Fact]
    public async Task A_document_is_in_one_partition_only()
    {
        await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"));
        await Fails(HttpStatusCode.NotFound, Crm.ReadItemAsync<object>("ct_1", new PartitionKey("ws_2")));
        await Fails(HttpStatusCode.BadRequest, Crm.CreateItemAsync(new { id = "ct_2", pk = "ws_1" }, new PartitionKey("ws_2")));
    }

    [Fact]
    public async Task A_second_document_of_an_id_is_a_conflict()
    {
        await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"));
        await Fails(HttpStatusCode.Conflict, Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1")));
        Assert.Equal(HttpStatusCode.OK, (await Crm.UpsertItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"))).StatusCode);
    }

    [Fact]
    public async Task A_write_under_an_old_ETag_is_refused()
    {
        var first = await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"));
        var second = await Crm.ReplaceItemAsync(
            new { id = "ct_1", pk = "ws_1", n = 2 }, "ct_1", new PartitionKey("ws_1"), new ItemRequestOptions { IfMatchEtag = first.ETag });
        await Fails(HttpStatusCode.PreconditionFailed,
            Crm.ReplaceItemAsync(new { id = "ct_1", pk = "ws_1" }, "ct_1", new PartitionKey("ws_1"), new ItemRequestOptions { IfMatchEtag = first.ETag }));
        await Fails(HttpStatusCode.PreconditionFailed,
            Crm.DeleteItemAsync<object>("ct_1", new PartitionKey("ws_1"), new ItemRequestOptions { IfMatchEtag = first.ETag }));
        await Crm.DeleteItemAsync<object>("ct_1", new PartitionKey("ws_1"), new ItemRequestOptions { IfMatchEtag = second.ETag });
        await Fails(HttpStatusCode.NotFound, Crm.DeleteItemAsync<object>("ct_1", new PartitionKey("ws_1")));
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_if_its_condition_holds()
    {
        await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1", version = 1, tags = new[] { "a" } }, new PartitionKey("ws_1"));
        PatchOperation[] patch = [PatchOperation.Increment("/version", 1), PatchOperation.Set("/name", "Jane"), PatchOperation.Add("/tags/-", "b"),
            PatchOperation.Increment("/guards", 1)];
        var options = new PatchItemRequestOptions { FilterPredicate = "FROM c WHERE c.version = 1" };
        var patched = await Crm.PatchItemAsync<Newtonsoft.Json.Linq.JObject>("ct_1", new PartitionKey("ws_1"), patch, options);
        Assert.Equal(2, patched.Resource["version"]);
        Assert.Equal(1, patched.Resource["guards"]);
        Assert.Equal(["a", "b"], patched.Resource["tags"]!.Select(tag => tag.ToString()));
        await Fails(HttpStatusCode.PreconditionFailed, Crm.PatchItemAsync<object>("ct_1", new PartitionKey("ws_1"), patch, options));
        await Fails(HttpStatusCode.BadRequest, Crm.PatchItemAsync<object>("ct_1", new PartitionKey("ws_1"), [PatchOperation.Remove("/missing")]));
        await Fails(HttpStatusCode.NotFound, Crm.PatchItemAsync<object>("ct_2", new PartitionKey("ws_1"), patch));
    }

    [Fact]
    public async Task A_document_is_gone_once_its_time_to_live_is_over()
    {
        await Crm.CreateItemAsync(new { id = "evt_1", pk = "ws_1", ttl = 60 }, new PartitionKey("ws_1"));
        fixture.Clock.Advance(TimeSpan.FromSeconds(59));
        await Crm.ReadItemAsync<object>("evt_1", new PartitionKey("ws_1"));
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await Fails(HttpStatusCode.NotFound, Crm.ReadItemAsync<object>("evt_1", new PartitionKey("ws_1")));
        await Crm.CreateItemAsync(new { id = "evt_1", pk = "ws_1" }, new PartitionKey("ws_1"));
    }

    [Fact]
    public async Task A_document_of_more_than_two_megabytes_is_refused() =>
        await Fails(HttpStatusCode.RequestEntityTooLarge,
            Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1", name = new string('x', 2 * 1024 * 1024) }, new PartitionKey("ws_1")));

    [Fact]
    public async Task A_batch_is_done_whole()
    {
        await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1", version = 1 }, new PartitionKey("ws_1"));
        using var response = await Crm.CreateTransactionalBatch(new PartitionKey("ws_1"))
            .CreateItem(new { id = "ct_2", pk = "ws_1" })
            .PatchItem("ct_1", [PatchOperation.Increment("/version", 1)],
                new TransactionalBatchPatchItemRequestOptions { FilterPredicate = "FROM c WHERE c.version = 1" })
            .ReadItem("ct_2")
            .ExecuteAsync();
        Assert.True(response.IsSuccessStatusCode, string.Join(";", fixture.Account.Log));
        Assert.Equal([HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.OK], response.Select(result => result.StatusCode));
        Assert.Equal(2, response.GetOperationResultAtIndex<Newtonsoft.Json.Linq.JObject>(1).Resource["version"]);
        Assert.Equal("ct_2", response.GetOperationResultAtIndex<Newtonsoft.Json.Linq.JObject>(2).Resource["id"]);
        Assert.True(response.RequestCharge > 10);
    }

    [Fact]
    public async Task Of_a_batch_with_an_operation_that_fails_nothing_is_done()
    {
        var before = await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"));
        using var response = await Crm.CreateTransactionalBatch(new PartitionKey("ws_1"))
            .CreateItem(new { id = "ct_2", pk = "ws_1" })
            .DeleteItem("ct_1", new TransactionalBatchItemRequestOptions { IfMatchEtag = before.ETag })
            .CreateItem(new { id = "ct_2", pk = "ws_1" })
            .ReadItem("ct_1")
            .ExecuteAsync();
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal([HttpStatusCode.FailedDependency, HttpStatusCode.FailedDependency, HttpStatusCode.Conflict, HttpStatusCode.FailedDependency],
            response.Select(result => result.StatusCode));
        await Fails(HttpStatusCode.NotFound, Crm.ReadItemAsync<object>("ct_2", new PartitionKey("ws_1")));
        Assert.Equal(before.ETag, (await Crm.ReadItemAsync<object>("ct_1", new PartitionKey("ws_1"))).ETag);
    }

    [Fact]
    public async Task A_batch_of_more_than_a_hundred_operations_is_refused()
    {
        var batch = Crm.CreateTransactionalBatch(new PartitionKey("ws_1"));
        for (var i = 0; i < 101; i++) batch.CreateItem(new { id = $"ct_{i}", pk = "ws_1" });
        using var response = await batch.ExecuteAsync();
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task The_log_names_what_was_asked()
    {
        await Crm.CreateItemAsync(new { id = "ct_1", pk = "ws_1" }, new PartitionKey("ws_1"));
        fixture.Account.ClearLog();
        await Crm.ReadItemAsync<object>("ct_1", new PartitionKey("ws_1"));
        var entry = Assert.Single(fixture.Account.Log, request => request.Kind != RequestKind.Metadata);
        Assert.Equal(new LoggedRequest("GET", RequestKind.Read, "crm", "[\"ws_1\"]", "ct_1", 200, 1), entry);
    }

    private static async Task Fails(HttpStatusCode status, Task request) =>
        Assert.Equal(status, (await Assert.ThrowsAsync<CosmosException>(() => request)).StatusCode);
}
