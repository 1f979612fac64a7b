using System.Net;
using System.Text.Json;
using NodeStash.Functions.Webhooks.Tests;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>The real process when no file can be written any more.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int Refused = 20;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-full-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task A_full_disk_refuses_writes_and_loses_nothing_and_work_goes_on_when_there_is_space()
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        string jane;
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            await api.Subscribe(receiver.Address);
            jane = await api.CreateContact("jane@example.com");
            await Eventually.True(() => server.Output.Contains("attempt 1: Status5xx", StringComparison.Ordinal), "the end of the attempt");
            await server.FillDisk(true);
            receiver.Answer = (_, _) => Task.CompletedTask;

            for (var i = 0; i < Refused; i++) await IsRefused(api);
            await api.Get($"contacts/{jane}");

            await server.FillDisk(false);
            await api.CreateContact("joan@example.com");
            // Told, but not for each of them.
            await Eventually.True(() => TimesTold(server) > 0, "word of it in the log");
            Assert.True(TimesTold(server) < Refused, server.Output);
            await Eventually.True(() => receiver.Requests.Select(request => request.Id).Distinct().Count() == 2 && receiver.Requests.Count > 2, "both contacts");
            await server.FillDisk(true);
            await IsRefused(api);
            await server.Kill();
        }

        await using var again = await NodeStashProcess.Serve(Data);
        using var client = again.Client();
        await client.Get($"contacts/{jane}");
        await client.CreateContact("june@example.com");
        await Eventually.True(() => receiver.Requests.Select(request => request.Id).Distinct().Count() == 3, "the contact made after the restart");
        Assert.All(receiver.Requests, request => Assert.Equal("contact.created", request.Name));
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static int TimesTold(NodeStashProcess server) => server.Output.Split('\n').Count(line => line.Contains("nodestash.db was rolled back", StringComparison.Ordinal));

    private static async Task IsRefused(CrmClient api)
    {
        using var answer = await api.Send(HttpMethod.Post, "contacts", new { email = "joan@example.com" });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("UNAVAILABLE", JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error").GetProperty("code").GetString());
    }
}
