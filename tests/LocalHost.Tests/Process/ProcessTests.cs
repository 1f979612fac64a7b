using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>The program as someone runs it: what it prints, leaves on disk, and how it ends.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ProcessTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash process ");

    private string Data => Path.Combine(folder.FullName, "it's data");

    [Fact]
    public async Task The_first_start_makes_a_key_only_its_owner_can_read_and_prints_a_curl_that_works()
    {
        await using var server = await NodeStashProcess.Serve(Data);

        var curl = server.Output[server.Output.IndexOf("curl ", StringComparison.Ordinal)..].Split("\n\n")[0].Trim();
        var (code, answer) = await Shell($"{curl} --silent --show-error --fail");

        Assert.True(code == 0, answer);
        Assert.Equal("jane@example.com", JsonElement.Parse(answer).GetProperty("data").GetProperty("attributes").GetProperty("email").GetString());
        foreach (var secret in new[] { "api-key", "sealing-key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, secret)));
    }

    [Fact]
    public async Task The_next_start_finds_everything_as_it_was()
    {
        string id, key;
        await using (var first = await NodeStashProcess.Serve(Data))
        {
            using var api = first.Client();
            id = await api.CreateContact("jane@example.com");
            key = await File.ReadAllTextAsync(Path.Combine(Data, "api-key"));
            await first.Signal("TERM");
            Assert.Equal(0, await first.Exit());
        }

        await using var second = await NodeStashProcess.Serve(Data);
        using var again = second.Client();

        Assert.Equal("jane@example.com", (await again.Get($"contacts/{id}")).GetProperty("email").GetString());
        Assert.Equal(key, await File.ReadAllTextAsync(Path.Combine(Data, "api-key")));
    }

    [Fact]
    public async Task Help_tells_how_to_use_it()
    {
        var (code, output, errors) = await NodeStashProcess.Run("--help");

        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(CommandLine.Usage.ReplaceLineEndings("\n"), output);
    }

    [Fact]
    public async Task Version_is_that_of_every_assembly_that_ships()
    {
        var (code, output, errors) = await NodeStashProcess.Run("--version");

        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(@"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9a-f]{40})?$", output);
        Assert.All(
            new[] { typeof(CrmHost), typeof(Core.Records.Schema), typeof(Functions.Api.ApiServices), typeof(Functions.Webhooks.WebhookServices) },
            type => Assert.Equal(output, type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion));
    }

    [Theory]
    [InlineData("error: unknown argument '--nonsense'", "--nonsense")]
    [InlineData("error: unknown argument 'serve'", "serve")]
    [InlineData("error: --data needs a value", "--data")]
    [InlineData("error: --urls needs a value", "--urls=")]
    [InlineData("error: unknown argument '--no-loopback=false'", "--no-loopback=false")]
    public async Task Wrong_arguments_are_told_and_end_with_2(string expected, params string[] args)
    {
        var (code, output, errors) = await NodeStashProcess.Run(args);

        Assert.Equal((2, "", $"{expected}\nTry --help."), (code, output, errors));
    }

    [Fact]
    public async Task Health_tells_whether_a_server_can_serve()
    {
        await using var server = await NodeStashProcess.Serve(Data);
        var served = await NodeStashProcess.Run("health", "--urls", server.Address.ToString());
        var onAllAddresses = await NodeStashProcess.Run("health", "--urls", $"http://0.0.0.0:{server.Address.Port}");
        await server.Kill();
        var gone = await NodeStashProcess.Run("health", "--urls", server.Address.ToString());

        Assert.Equal((0, 0, 1), (served.Code, onAllAddresses.Code, gone.Code));
        Assert.StartsWith("200 ", served.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_loopback_webhooks_may_not_call_this_machine()
    {
        await using var server = await NodeStashProcess.Serve(Data, "--no-loopback");
        using var api = server.Client();

        using var answer = await api.Send(HttpMethod.Post, "webhooks", new { url = "http://127.0.0.1:9/", events = new[] { "*" } });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("Must be https", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_busy_port_is_told_in_one_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        await Fails($"http://{listener.LocalEndpoint}", Data, $"http://{listener.LocalEndpoint} is in use by another program");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("http://127.0.0.1:99999")]
    public async Task What_is_no_address_is_told_in_one_line(string urls) => await Fails(urls, Data, $"'{urls}' is not an address to listen on");

    [Fact]
    public async Task A_file_in_the_folders_way_is_told_in_one_line()
    {
        await File.WriteAllTextAsync(Data, "");

        await Fails("http://127.0.0.1:0", Data, $"the folder {Data} can't be used");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told_in_one_line()
    {
        await File.WriteAllTextAsync(Data, "");
        var below = Path.Combine(Data, "below");

        await Fails("http://127.0.0.1:0", below, $"the folder {below} can't be used");
    }

    [Fact]
    public async Task A_folder_in_use_is_told_in_one_line_and_left_alone()
    {
        await using var first = await NodeStashProcess.Serve(Data);

        await Fails("http://127.0.0.1:0", Data, $"the folder {Data} is in use by another nodestash process");

        using var api = first.Client();
        await api.CreateContact("jane@example.com");
    }

    [Theory]
    [InlineData("nodestash.db")]
    [InlineData("durable.db")]
    public async Task A_database_of_a_newer_version_is_told_in_one_line(string file)
    {
        await using (var first = await NodeStashProcess.Serve(Data))
        {
            await first.Signal("TERM");
            await first.Exit();
        }

        await using (var database = new SqliteConnection($"Data Source={Path.Combine(Data, file)};Pooling=false"))
        {
            database.Open();
            using var command = database.CreateCommand();
            command.CommandText = "PRAGMA user_version = 999";
            command.ExecuteNonQuery();
        }

        await Fails("http://127.0.0.1:0", Data, $"{Path.Combine(Data, file)} is of version 999");
    }

    [Fact]
    public async Task A_lost_sealing_key_is_told_in_one_line()
    {
        await using (var first = await NodeStashProcess.Serve(Data)) await first.Kill();
        File.Delete(Path.Combine(Data, "sealing-key"));

        await Fails("http://127.0.0.1:0", Data, $"{Path.Combine(Data, "sealing-key")} is missing");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Asked_to_end_it_answers_what_is_under_way_and_takes_nothing_new(string signal)
    {
        await using var server = await NodeStashProcess.Serve(Data);
        const string Body = """{"email":"jane@example.com"}""";
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        var stream = client.GetStream();
        var key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"))).Trim();
        await Write(stream, string.Create(CultureInfo.InvariantCulture,
            $"POST /v1/contacts HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nAuthorization: Bearer {key}\r\nContent-Type: "
                + $"application/json\r\nContent-Length: {Body.Length}\r\n\r\n"));
        await ReadUntil(stream, "100 Continue");

        await server.Signal(signal);
        await Eventually.True(() => IsRefused(server.Address), "the end of listening");
        await Write(stream, Body);

        Assert.Contains("jane@example.com", await ReadUntil(stream, "request_id"), StringComparison.Ordinal);
        Assert.Equal(0, await server.Exit());
        Assert.Equal("", server.Errors);
    }

    [Fact]
    public async Task Started_with_SIGINT_ignored_it_goes_on_after_one_and_ends_on_SIGTERM()
    {
        await using var server = await NodeStashProcess.ServeInBackground(Data);
        using var api = server.Client();

        await server.Signal("INT");
        await api.CreateContact("jane@example.com");
        await server.Signal("TERM");

        Assert.Equal((0, ""), (await server.Exit(), server.Errors));
    }

    [Fact]
    public async Task The_log_names_requests_and_workspaces_but_no_secrets_and_no_people()
    {
        await using var receiver = await Receiver.Start();
        await using var server = await NodeStashProcess.Serve(Data);
        using var api = server.Client();
        var endpoint = await api.Subscribe(new Uri(receiver.Address, "/in?token=receivers-token"));
        var id = (await api.Create("contacts", new { email = "jane@private.example", first_name = "Jane-Private", phone = "555-0199" })).GetProperty("id")
            .GetString();
        using var answer = await api.Send(HttpMethod.Get, "contacts?email=jane@private.example");
        var requestId = JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("meta").GetProperty("request_id").GetString()!;
        using var taken = await api.Send(HttpMethod.Post, "contacts", new { email = "jane@private.example" });
        using var mistaken = await api.Send(HttpMethod.Get, "contacts/jane@private.example");
        using var nowhere = await api.Send(HttpMethod.Get, "nowhere/jane@private.example");
        var workspaceId = (await receiver.Event("contact.created")).Event.GetProperty("metadata").GetProperty("workspace_id").GetString()!;
        await server.Signal("TERM");
        await server.Exit();

        var log = server.Output + server.Errors;
        var line = Assert.Single(log.Split('\n'), line => line.Contains(requestId, StringComparison.Ordinal));
        Assert.Contains(workspaceId, line, StringComparison.Ordinal);
        Assert.Contains("GET /v1/contacts/- 400", log, StringComparison.Ordinal);
        Assert.Contains($"{endpoint.Id}, attempt 1: Delivered 200, workspace {workspaceId}", log, StringComparison.Ordinal);
        var key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"))).Trim();
        foreach (var secret in new[] { "private.example", "Jane-Private", "555-0199", "receivers-token", "whsec_", endpoint.Secret["whsec_".Length..], key,
            key[^20..] })
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        Assert.NotNull(id);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static async Task Fails(string urls, string data, string expected)
    {
        var (code, output, errors) = await NodeStashProcess.Run("--urls", urls, "--data", data);

        Assert.Equal(1, code);
        Assert.StartsWith($"error: {expected}", errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', errors);
        Assert.DoesNotContain("listens on", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> Shell(string command)
    {
        using var shell = System.Diagnostics.Process.Start(new ProcessStartInfo("sh", ["-c", command + " 2>&1"]) { RedirectStandardOutput = true })!;
        var output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return (shell.ExitCode, output);
    }

    private static async Task Write(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text));

    private static async Task<string> ReadUntil(NetworkStream stream, string text)
    {
        var (seen, buffer) = (new StringBuilder(), new byte[4096]);
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer);
            Assert.True(read > 0, $"Closed after: {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return seen.ToString();
    }

    private static async Task<bool> IsRefused(Uri address)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, address.Port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
