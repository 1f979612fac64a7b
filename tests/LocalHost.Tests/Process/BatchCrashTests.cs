using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>docs/api/v1.md, Idempotency: a batch, in a process that is killed in the middle of one.</summary>
public sealed class BatchCrashTests : IDisposable
{
    private const int Operations = 100;
    private const int Crashes = 3;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-crash-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task A_batch_that_is_repeated_until_it_is_answered_is_done_once()
    {
        for (var crash = 0; crash < Crashes; crash++)
        {
            await using var server = await NodeStashProcess.Serve(Data);
            using var api = server.Client();
            var sending = Send(server);
            await Eventually.True(async () => await Count(api) > crash * Operations / (Crashes + 1), "a part of the batch");
            await server.Kill();
            await ToItsEnd(sending);
        }

        await using var last = await NodeStashProcess.Serve(Data);
        using var client = last.Client();
        var items = (await Send(last)).GetProperty("data").EnumerateArray().ToList();

        Assert.All(items, item => Assert.Equal(201, item.GetProperty("status").GetInt32()));
        Assert.Equal(Enumerable.Range(0, Operations),
            items.Select(item => item.GetProperty("data").GetProperty("attributes").GetProperty("custom_fields").GetProperty("n").GetInt32()));
        Assert.Equal(Operations, await Count(client));
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static async Task<int> Count(CrmClient api)
    {
        using var answer = await api.Send(HttpMethod.Get, "contacts?limit=100");
        var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.False(page.GetProperty("meta").GetProperty("pagination").GetProperty("has_more").GetBoolean());
        return page.GetProperty("data").GetArrayLength();
    }

    /// <summary>It was answered just before the crash, or never.</summary>
    private static async Task ToItsEnd(Task sending)
    {
        try
        {
            await sending;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
        }
    }

    /// <summary>The batch, always the same, under the same key.</summary>
    private async Task<JsonElement> Send(NodeStashProcess server)
    {
        using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = server.Address };
        var operations = Enumerable.Range(0, Operations).Select(n => new { op = "create", data = new { custom_fields = new { n } } });
        using var request = new HttpRequestMessage(HttpMethod.Post,
            "v1/contacts/batch")
        { Content = new StringContent(JsonSerializer.Serialize(new { operations }), Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"))).Trim());
        request.Headers.Add("Idempotency-Key", "import-1");
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }
}
