using System.Net;
using Microsoft.Azure.Cosmos;

namespace NodeStash.CosmosStandIn.Tests;

public sealed class FaultTests : IAsyncLifetime
{
    private readonly Fixture fixture = new();

    public async ValueTask InitializeAsync() => await fixture.Open();

    public async ValueTask DisposeAsync() => await fixture.Close();

    [Fact]
    public async Task The_client_waits_out_a_few_429()
    {
        fixture.Account.Faults.Next(Fault.TooManyRequests, 3);
        Assert.Equal(HttpStatusCode.Created, (await Create("ct_1")).StatusCode);
        Assert.Equal([429, 429, 429, 201], Statuses(RequestKind.Create));
    }

    [Fact]
    public async Task After_many_429_the_client_gives_up_and_tells_how_long_to_wait()
    {
        fixture.Account.Faults.RetryAfter = TimeSpan.FromMilliseconds(2);
        fixture.Account.Faults.Next(Fault.TooManyRequests, 100);
        var error = await Assert.ThrowsAsync<CosmosException>(() => Create("ct_1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, error.StatusCode);
        Assert.Equal(TimeSpan.FromMilliseconds(2), error.RetryAfter);
    }

    [Theory]
    [InlineData(Fault.TimeoutAfter, HttpStatusCode.Created)]
    [InlineData(Fault.TimeoutBefore, HttpStatusCode.NotFound)]
    [InlineData(Fault.DisconnectAfter, HttpStatusCode.Created)]
    [InlineData(Fault.DisconnectBefore, HttpStatusCode.NotFound)]
    [InlineData(Fault.ServiceUnavailable, HttpStatusCode.NotFound)]
    public async Task A_write_that_fails_is_done_or_not_as_the_fault_says(Fault problem, HttpStatusCode isThere)
    {
        fixture.Account.Faults.Next(problem, int.MaxValue, request => request.Kind == RequestKind.Create);
        await Assert.ThrowsAnyAsync<Exception>(() => Create("ct_1"));
        fixture.Account.Faults.Clear();
        using var read = await fixture.Crm.ReadItemStreamAsync("ct_1", new PartitionKey("ws_1"));
        Assert.Equal(isThere == HttpStatusCode.Created ? HttpStatusCode.OK : isThere, read.StatusCode);
    }

    [Fact]
    public async Task The_client_repeats_after_449()
    {
        fixture.Account.Faults.Next(Fault.RetryWith, 2);
        Assert.Equal(HttpStatusCode.Created, (await Create("ct_1")).StatusCode);
        Assert.Equal([449, 449, 201], Statuses(RequestKind.Create));
    }

    [Fact]
    public async Task A_test_can_let_something_happen_before_a_request()
    {
        await Create("ct_1");
        var isFirst = true;
        fixture.Account.OnRequest = async request =>
        {
            if (request.Kind != RequestKind.Delete || !isFirst) return;
            isFirst = false;
            await fixture.Crm.DeleteItemAsync<object>("ct_1", new PartitionKey("ws_1"));
        };
        var error = await Assert.ThrowsAsync<CosmosException>(() => fixture.Crm.DeleteItemAsync<object>("ct_1", new PartitionKey("ws_1")));
        Assert.Equal(HttpStatusCode.NotFound, error.StatusCode);
    }

    private Task<ItemResponse<Dictionary<string, string>>> Create(string id) =>
        fixture.Crm.CreateItemAsync(new Dictionary<string, string> { ["id"] = id, ["pk"] = "ws_1" }, new PartitionKey("ws_1"));

    private IEnumerable<int> Statuses(RequestKind kind) => fixture.Account.Log.Where(request => request.Kind == kind).Select(request => request.Status);
}
