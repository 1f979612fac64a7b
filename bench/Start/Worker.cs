using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using NodeStash.Azure.Hosting;
using NodeStash.Core.Access;
using NodeStash.Functions.Api;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Bench;

/// <summary>What a process has done so far.</summary>
/// <param name="Milliseconds">Since it was started.</param>
/// <param name="AllocatedMegabytes">On the managed heap, collected or not.</param>
/// <param name="CompiledMethods">While it ran: those that were compiled beforehand and sufficed are not among them.</param>
/// <param name="CpuMilliseconds">Of all its threads.</param>
internal sealed record SoFar(double Milliseconds, double AllocatedMegabytes, double CompiledMethods, double CpuMilliseconds);

/// <summary>
/// The API's worker in a process of its own: its settings, services and functions as in Azure, with Kestrel before them, as the worker has it. What
/// is not here is the Functions host: the channel to it, and its own start.
/// </summary>
internal sealed class Worker : IDisposable
{
    /// <summary>The argument of the process that is the worker.</summary>
    public const string Argument = "worker";

    private const string Operator = "the secret of an operator who only starts things";

    private readonly Process process;
    private readonly long started;
    private readonly HttpClient http;

    private Worker(Process process, long started, Uri address) =>
        (this.process, this.started, http) = (process, started, new HttpClient(new SocketsHttpHandler()) { BaseAddress = address });

    /// <summary>Where it listens.</summary>
    public required SoFar Listening { get; init; }

    /// <summary>Runs in the worker's process until its input ends; says what it has done when it listens, and at each line it is sent.</summary>
    public static async Task Run()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddNodeStashAzure(builder.Configuration, "nodestash-api").AddNodeStashApi();
        await using var app = builder.Build();
        app.MapFunctions(FunctionCatalog.Of(typeof(ApiServices).Assembly));
        await app.StartAsync();
        do await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{app.Urls.First()} {GC.GetTotalAllocatedBytes() / 1e6} {JitInfo.GetCompiledMethodCount()} {Environment.CpuUsage.TotalTime.TotalMilliseconds}"));
        while (await Console.In.ReadLineAsync() is not null);
    }

    /// <param name="folder">With the published program.</param>
    /// <param name="account">The connection string of the Cosmos DB account.</param>
    /// <param name="database">The name of the database.</param>
    public static async Task<Worker> Start(string folder, string account, string database)
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "start-bench"), Argument) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var settings = new Dictionary<string, string>
        {
            ["COSMOS"] = account,
            ["COSMOS_DATABASE"] = database,
            ["COSMOS_DISABLE_IMDS_ACCESS"] = "true",
            ["JOBS"] = "UseDevelopmentStorage=true",
            ["SEALING_KEY"] = Convert.ToBase64String(new byte[32]),
            [OperatorSecret.Setting] = Operator,
        };
        foreach (var (name, value) in settings) start.Environment[name] = value;

        var started = TimeProvider.System.GetTimestamp();
        var process = Process.Start(start)!;
        var (address, soFar) = await Read(process, started);
        return new Worker(process, started, new Uri(address)) { Listening = soFar };
    }

    /// <summary>The path of a new contact in a new workspace, and a key that reads it.</summary>
    public async Task<(string Path, string Key)> NewContact()
    {
        var workspace = await Post("/v1/workspaces", Operator, new { name = "Bench" });
        var key = workspace.GetProperty("attributes").GetProperty("api_key").GetString()!;
        var contact = await Post("/v1/contacts", key, new { email = "jane@example.com", first_name = "Jane" });
        return ($"/v1/contacts/{contact.GetProperty("id").GetString()}", key);
    }

    /// <summary>Asks for it, which must be answered.</summary>
    /// <returns>How long that took, and what the process has done until then.</returns>
    public async Task<(double Milliseconds, SoFar SoFar)> Get(string path, string key)
    {
        var before = TimeProvider.System.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using var answer = await http.SendAsync(request);
        var took = TimeProvider.System.GetElapsedTime(before).TotalMilliseconds;
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{path} was answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        await process.StandardInput.WriteLineAsync();
        return (took, (await Read(process, started)).SoFar);
    }

    public void Dispose()
    {
        http.Dispose();
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    private static async Task<(string Address, SoFar SoFar)> Read(Process process, long started)
    {
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the worker ended; its errors are above");
        var at = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
        var parts = line.Split(' ');
        var figures = Array.ConvertAll(parts[1..], part => double.Parse(part, CultureInfo.InvariantCulture));
        return (parts[0], new SoFar(at, figures[0], figures[1], figures[2]));
    }

    private async Task<JsonElement> Post(string path, string secret, object body)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, path)
        { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", secret) }, Content = JsonContent.Create(body) };
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == HttpStatusCode.Created
            ? JsonElement.Parse(text).GetProperty("data")
            : throw new InvalidOperationException($"{path} was answered {answer.StatusCode}: {text}");
    }
}
