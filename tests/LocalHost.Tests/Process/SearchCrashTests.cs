using System.Text.Json;
using Microsoft.Data.Sqlite;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>The search index, in a process that is killed while it is kept up, and one whose file is gone.</summary>
public sealed class SearchCrashTests : IDisposable
{
    private const int BatchSize = 100;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-crash-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task Killed_at_any_moment_it_finds_what_there_is_and_nothing_else()
    {
        var (left, changed) = (new List<string>(), "");
        for (var lifetime = 0; lifetime < 4; lifetime++)
        {
            await using var server = await NodeStashProcess.Serve(Data);
            using var api = server.Client();
            for (var batch = 0; batch < 3; batch++) left.AddRange(
                await Batch(api, Enumerable.Range(0, BatchSize).Select(_ => new { op = "create", data = new { first_name = "Zeppelin" } })));
            var gone = left[..20];
            left.RemoveRange(0, 20);
            changed = left[lifetime];
            await Batch(api, [.. gone.Select(id => new { op = "delete", id })]);
            await api.Update($"contacts/{changed}", new { last_name = $"Life{(char)('a' + lifetime)}" });
            await server.Kill();
        }

        await using (var last = await NodeStashProcess.Serve(Data))
        {
            using var api = last.Client();
            await Eventually.True(
                async () => (await Found(api, "zeppelin"))?.Count == left.Count && (await Found(api, "lifed"))?.Count == 1, "everything to be found");
            Assert.Equal(left.Order(), (await Found(api, "zeppelin"))!.Order());
            Assert.Equal([changed], await Found(api, "lifed"));
            await last.Signal("TERM");
            Assert.Equal(0, await last.Exit());
        }

        Assert.Equal(left.Count, await Rows("SELECT count(*) FROM documents WHERE removed_at IS NULL"));
        Assert.Equal(left.Count, await Rows("SELECT count(*) FROM terms WHERE terms MATCH '\"1_zeppelin\" OR \"2_zeppelin\"'"));
    }

    [Fact]
    public async Task A_file_that_is_gone_is_built_anew_and_until_then_searches_are_refused_rather_than_answered_in_part()
    {
        List<string> all;
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            all = await Batch(api, Enumerable.Range(0, BatchSize).Select(_ => new { op = "create", data = new { first_name = "Zeppelin" } }));
            await Eventually.True(async () => (await Found(api, "zeppelin"))?.Count == all.Count, "everything to be found");
            await server.Kill();
        }

        foreach (var file in Directory.GetFiles(Data, "search.db*")) File.Delete(file);
        await using var second = await NodeStashProcess.Serve(Data);
        using var again = second.Client();

        List<string>? found = null;
        await Eventually.True(async () => (found = await Found(again, "zeppelin")) is not null, "an answer");
        Assert.Equal(all.Order(), found!.Order());
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>Does a batch; answers the ids of what it made.</summary>
    private static async Task<List<string>> Batch(CrmClient api, IEnumerable<object> operations)
    {
        using var answer = await api.Send(HttpMethod.Post, "contacts/batch", new { operations });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        var items = JsonElement.Parse(text).GetProperty("data").EnumerateArray().ToList();
        Assert.All(items, item => Assert.InRange(item.GetProperty("status").GetInt32(), 200, 299));
        return [.. items.Where(item => item.TryGetProperty("data", out _)).Select(item => item.GetProperty("data").GetProperty("id").GetString()!)];
    }

    /// <summary>The ids of all contacts found; null where the search is refused for now.</summary>
    private static async Task<List<string>?> Found(CrmClient api, string text)
    {
        var ids = new List<string>();
        string? cursor = null;
        do
        {
            using var answer = await api.Send(HttpMethod.Get, $"contacts?search={text}&limit=100" + (cursor is null ? "" : $"&cursor={cursor}"));
            if ((int)answer.StatusCode == 503) return null;
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            ids.AddRange(page.GetProperty("data").EnumerateArray().Select(contact => contact.GetProperty("id").GetString()!));
            cursor = page.GetProperty("meta").GetProperty("pagination").GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return ids;
    }

    private async Task<long> Rows(string sql)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(Data, "search.db")};Pooling=false");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
