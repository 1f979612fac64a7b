using System.Text.Json;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>A change that reaches many records, in a process that is killed while it is carried through.</summary>
public sealed class CascadeCrashTests : IDisposable
{
    private const int Contacts = 3000;
    private const int BatchSize = 100;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-crash-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task It_is_seen_whole_at_every_moment_and_reaches_each_record_once()
    {
        string company;
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            company = (await Json(api, HttpMethod.Post, "companies", new { name = "Acme" })).GetProperty("data").GetProperty("id").GetString()!;
            for (var i = 0; i < Contacts / BatchSize; i++)
                await Json(api, HttpMethod.Post, "contacts/batch",
                    new { atomic = true, operations = Enumerable.Range(0, BatchSize).Select(_ => new { op = "create", data = new { company_id = company } }) });
            await api.Delete($"companies/{company}");
            await SeeNothingOf(company, api);
            await server.Kill();
        }

        for (var lifetime = 0; lifetime < 3; lifetime++)
        {
            await using var server = await NodeStashProcess.Serve(Data);
            using var api = server.Client();
            await SeeNothingOf(company, api);
            await server.Kill();
        }

        await using var last = await NodeStashProcess.Serve(Data);
        using var client = last.Client();
        var told = new List<string>();
        string? cursor = null;
        await Eventually.True(
            async () =>
            {
                var page = await Json(client, HttpMethod.Get, "events?type=contact.updated&limit=100" + (cursor is null ? "" : $"&cursor={cursor}"));
                cursor = page.GetProperty("meta").GetProperty("pagination").GetProperty("next_cursor").GetString();
                told.AddRange(
                    page.GetProperty("data").EnumerateArray().Select(e => e.GetProperty("attributes").GetProperty("data").GetProperty("id").GetString()!));
                return told.Count >= Contacts;
            },
            "the events of all contacts");
        await SeeNothingOf(company, client);
        Assert.Equal((Contacts, Contacts), (told.Count, told.Distinct().Count()));
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>No page of the contacts, at either end, shows the link; none is found by it; and there is no company.</summary>
    private static async Task SeeNothingOf(string company, CrmClient api)
    {
        foreach (var query in new[] { "", "&sort=created_at" })
        {
            var page = (await Json(api, HttpMethod.Get, $"contacts?limit=100{query}")).GetProperty("data").EnumerateArray().ToList();
            Assert.Equal(BatchSize, page.Count);
            Assert.All(page, contact => Assert.Equal(JsonValueKind.Null, contact.GetProperty("attributes").GetProperty("company_id").ValueKind));
        }

        Assert.Empty((await Json(api, HttpMethod.Get, $"contacts?company_id={company}")).GetProperty("data").EnumerateArray());
        Assert.Empty((await Json(api, HttpMethod.Get, "companies")).GetProperty("data").EnumerateArray());
    }

    private static async Task<JsonElement> Json(CrmClient api, HttpMethod method, string path, object? body = null)
    {
        using var answer = await api.Send(method, path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }
}
