using System.Globalization;
using System.Net;
using Microsoft.Azure.Cosmos;
using Newtonsoft.Json.Linq;

namespace NodeStash.CosmosStandIn.Tests;

public sealed class QueryTests : IAsyncLifetime
{
    private readonly Fixture fixture = new();

    public async ValueTask InitializeAsync()
    {
        await fixture.Open();
        object[] documents =
        [
            new { id = "1", pk = "ws_1", kind = "record", name = "b", score = 2, tags = new[] { "x", "y" },
                keys = new Dictionary<string, object?> { ["e mail"] = "Jane@example.com" } },
            new { id = "2", pk = "ws_1", kind = "record", name = "a", score = "2", tags = new[] { "y" },
                keys = new Dictionary<string, object?> { ["e mail"] = null } },
            new { id = "3", pk = "ws_1", kind = "event", name = "a", score = 10, hidden = 1, deep = new { list = new[] { new { n = 1, m = 2 } } } },
            new { id = "4", pk = "ws_1", kind = "record", name = (string?)null, score = true },
            new { id = "5", pk = "ws_1", kind = "event", name = "\uFF5E" },
            new { id = "6", pk = "ws_1", kind = "event", name = "\U0001F600" },
            new { id = "1", pk = "ws_2", kind = "record", name = "z" },
        ];
        foreach (var document in documents) await fixture.Crm.CreateItemAsync(document);
    }

    public async ValueTask DisposeAsync() => await fixture.Close();

    [Theory]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind = 'record'", "1 2 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind != 'record'", "3 5 6")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.missing != 1", "")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT (c.missing = 1)", "")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.missing = 1 OR c.id = '1'", "1")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT (c.missing = 1 AND c.id = '1') AND c.kind = 'record'", "2 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.score > 1", "1 3")]
    [InlineData("SELECT VALUE c.id FROM c WHERE NOT (c.score > 5)", "1")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.score = '2'", "2")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.score != 2", "2 3 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.score BETWEEN 2 AND 9", "1")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.id IN ('3', '1', @id)", "1 3 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.id NOT IN ('3', '1', @id)", "2 5 6")]
    [InlineData("SELECT VALUE c.id FROM c WHERE IS_DEFINED(c.keys) AND IS_NULL(c.keys[\"e mail\"])", "2")]
    [InlineData("SELECT VALUE c.id FROM c WHERE LOWER(c.keys['e mail']) = 'jane@example.com'", "1")]
    [InlineData("SELECT VALUE c.id FROM c WHERE CONTAINS(c.keys['e mail'], 'EXAMPLE', true) OR STARTSWITH(c.id, '3')", "1 3")]
    [InlineData("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'y')", "1 2")]
    [InlineData("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(@ids, c.id)", "2 3")]
    [InlineData("SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.deep.list, {\"n\": 1}, true)", "3")]
    [InlineData("SELECT VALUE c.id FROM c WHERE IS_STRING(c.score) OR IS_BOOL(c.score) OR NOT IS_ARRAY(c.tags) AND IS_NUMBER(c.score)", "2 3 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.deep.list[0].m = 2", "3")]
    [InlineData("SELECT TOP 2 VALUE c.id FROM c", "1 2")]
    [InlineData("SELECT VALUE c.id FROM c OFFSET 2 LIMIT 3", "3 4 5")]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.score", "4 1 3 2")]
    [InlineData("SELECT VALUE c.id FROM c ORDER BY c.name DESC", "6 5 1 3 2 4")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind = 'record' ORDER BY c.name, c.id", "4 2 1")]
    [InlineData("SELECT VALUE c.id FROM c WHERE c.kind = 'record' ORDER BY c.name DESC, c.id DESC OFFSET 1 LIMIT 2", "2 4")]
    [InlineData("SELECT DISTINCT VALUE c.kind FROM c", "record event")]
    [InlineData("SELECT VALUE COUNT(1) FROM c", "6")]
    [InlineData("SELECT VALUE MAX(c.id) FROM c WHERE c.kind = 'record'", "4")]
    [InlineData("SELECT VALUE SUM(c.score) FROM c WHERE IS_NUMBER(c.score)", "12")]
    public async Task A_query_finds_what_the_language_says(string text, string ids)
    {
        foreach (var viaPlan in (bool[])[false, true])
        {
            if (viaPlan && text.Contains("DISTINCT", StringComparison.Ordinal)) continue;
            Assert.Equal(ids, string.Join(' ', await Find(text, new QueryRequestOptions { EnableOptimisticDirectExecution = !viaPlan })));
            Assert.Equal(ids, string.Join(' ', await Find(text, new QueryRequestOptions { MaxItemCount = 1, EnableOptimisticDirectExecution = !viaPlan })));
        }
    }

    [Fact]
    public async Task A_query_selects_and_groups()
    {
        Assert.Equal("""{"id":"1","$1":4,"mail":"Jane@example.com"}""",
            Assert.Single(await Find("SELECT c.id, c.score * 2, c.keys['e mail'] AS mail, c.missing FROM c WHERE c.id = '1'")));
        foreach (var viaPlan in (bool[])[false, true])
        {
            var groups =
                await Find("SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind", new QueryRequestOptions { EnableOptimisticDirectExecution = !viaPlan });
            Assert.Equal(["event 3", "record 3"], groups.Select(JObject.Parse).Select(group => $"{group["kind"]} {group["n"]}").Order());
        }
    }

    [Theory]
    [InlineData("SELECT * FORM c")]
    [InlineData("SELECT * FROM c WHERE")]
    [InlineData("SELECT * FROM c WHERE c.order = 1")]
    [InlineData("SELECT * FROM c WHERE c.value = 1")]
    [InlineData("SELECT * FROM c WHERE d.id = 1")]
    [InlineData("SELECT * FROM c WHERE c.id = @unknown")]
    [InlineData("SELECT * FROM c WHERE NO_SUCH(c.id)")]
    [InlineData("SELECT * FROM c WHERE STARTSWITH(c.id)")]
    [InlineData("SELECT * FROM c ORDER BY LOWER(c.id)")]
    [InlineData("SELECT c.name, COUNT(1) AS n FROM c GROUP BY c.kind")]
    [InlineData("SELECT TOP 1 * FROM c OFFSET 1 LIMIT 1")]
    [InlineData("SELECT * FROM c WHERE c.id = 'open")]
    [InlineData("SELECT * FROM c LIMIT 1")]
    public async Task A_faulty_query_is_refused_as_the_service_s_own_compiler_does(string text)
    {
        foreach (var viaPlan in (bool[])[false, true])
        {
            var error = await Assert.ThrowsAnyAsync<CosmosException>(() => Find(text, new QueryRequestOptions { EnableOptimisticDirectExecution = !viaPlan }));
            Assert.Equal(HttpStatusCode.BadRequest, error.StatusCode);
        }
    }

    [Theory]
    [InlineData("SELECT * FROM c ORDER BY c.hidden", "excluded")]
    [InlineData("SELECT * FROM c ORDER BY c.name, c.score", "composite index")]
    [InlineData("SELECT * FROM c ORDER BY c.name, c.id DESC", "composite index")]
    [InlineData("SELECT * FROM c ORDER BY c.id, c.name", "composite index")]
    public async Task An_order_without_an_index_is_refused(string text, string reason)
    {
        var error = await Assert.ThrowsAsync<CosmosException>(() => Find(text));
        Assert.Equal(HttpStatusCode.BadRequest, error.StatusCode);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_without_a_partition_key_is_refused_unless_allowed()
    {
        var error = await Assert.ThrowsAsync<CosmosException>(() => Read(fixture.Crm.GetItemQueryIterator<JToken>("SELECT * FROM c")));
        Assert.Equal(HttpStatusCode.BadRequest, error.StatusCode);

        fixture.Account.AllowsCrossPartitionQueriesIn.Add("crm");
        Assert.Equal(7, (await Read(fixture.Crm.GetItemQueryIterator<JToken>("SELECT * FROM c"))).Count);
        var ordered = await Read(
            fixture.Crm.GetItemQueryIterator<JToken>("SELECT VALUE c.name FROM c WHERE c.kind = 'record' ORDER BY c.name", null,
                new QueryRequestOptions { EnableOptimisticDirectExecution = false }));
        Assert.Equal(["", "a", "b", "z"], ordered);
    }

    [Fact]
    public async Task Many_documents_are_read_at_once()
    {
        var read = await fixture.Crm.ReadManyItemsAsync<JObject>(
            [("1", new PartitionKey("ws_1")), ("1", new PartitionKey("ws_2")), ("9", new PartitionKey("ws_1"))]);
        Assert.Equal(["b", "z"], read.Select(document => (string)document["name"]!).Order());
    }

    [Fact]
    public async Task A_page_goes_on_behind_the_last_result_whatever_was_written_meanwhile()
    {
        var options = new QueryRequestOptions { PartitionKey = new PartitionKey("ws_1"), MaxItemCount = 2 };
        const string Text = "SELECT VALUE c.id FROM c WHERE c.kind = 'record' ORDER BY c.name, c.id";
        var first = await fixture.Crm.GetItemQueryIterator<string>(Text, null, options).ReadNextAsync();
        Assert.Equal(["4", "2"], first);
        await fixture.Crm.DeleteItemAsync<object>("2", new PartitionKey("ws_1"));
        await fixture.Crm.CreateItemAsync(new { id = "7", pk = "ws_1", kind = "record", name = "a" });
        Assert.Equal(["7", "1"], await fixture.Crm.GetItemQueryIterator<string>(Text, first.ContinuationToken, options).ReadNextAsync());
    }

    [Fact]
    public async Task Short_and_empty_pages_lose_and_repeat_nothing()
    {
        fixture.Account.Faults.Sometimes(Fault.EmptyPage, 0.3, new Random(1));
        fixture.Account.Faults.Sometimes(Fault.ShortPage, 0.5, new Random(2));
        Assert.Equal("4 2 1", string.Join(' ', await Find("SELECT VALUE c.id FROM c WHERE c.kind = 'record' ORDER BY c.name, c.id")));
        Assert.Equal("2 4", string.Join(' ', await Find("SELECT VALUE c.id FROM c WHERE c.kind = 'record' OFFSET 1 LIMIT 2")));
    }

    private async Task<List<string>> Find(string text, QueryRequestOptions? options = null)
    {
        options ??= new QueryRequestOptions();
        options.PartitionKey = new PartitionKey("ws_1");
        var query = new QueryDefinition(text).WithParameter("@id", "4").WithParameter("@ids", new[] { "2", "3" });
        return (await Read(fixture.Crm.GetItemQueryIterator<JToken>(query, null, options))).ConvertAll(
            item => item is JValue value ? value.ToString(CultureInfo.InvariantCulture) : item.ToString(Newtonsoft.Json.Formatting.None));
    }

    private static async Task<List<T>> Read<T>(FeedIterator<T> pages)
    {
        var all = new List<T>();
        using (pages)
        {
            while (pages.HasMoreResults) all.AddRange(await pages.ReadNextAsync());
        }

        return all;
    }
}
