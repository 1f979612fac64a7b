using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using NodeStash.Azure.Hosting;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Repository.Tests;

/// <summary>Who may know whom (ARCHITECTURE.md, Map), read off the project files and the sources; and whether the documents tell of what there is.</summary>
public sealed partial class StructureTests
{
    private static readonly string root = RootOf(AppContext.BaseDirectory);

    [Theory]
    [InlineData("Core")]
    [InlineData("Azure", "Core")]
    [InlineData("Functions.Api", "Azure", "Core")]
    [InlineData("Functions.Webhooks", "Azure", "Core")]
    [InlineData("LocalHost", "Core", "Functions.Api", "Functions.Webhooks")]
    public void A_project_references_only_what_lies_below_it(string project, params string[] references) =>
        Assert.Equal(
            references, ReferencesOf(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal));

    [Fact]
    public void There_is_no_project_this_test_does_not_know() =>
        Assert.Equal(
            ["Azure", "Core", "Functions.Api", "Functions.Webhooks", "LocalHost"],
            Directory.GetDirectories(In("src")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Fact]
    public void Core_knows_no_web_framework_and_no_functions_host()
    {
        Assert.Empty(ReferencesOf("Core", "FrameworkReference"));
        Assert.Empty(SourcesNaming(WebOrFunctions(), inside: "src/Core/"));
    }

    /// <summary>Each folder uses only the ones that stand before it here. So they form no circle.</summary>
    [Fact]
    public void A_folder_of_Core_uses_only_the_folders_below_it()
    {
        string[] folders = ["Values", "Telemetry", "Storage", "Events", "Records", "Access", "Webhooks", "Jobs", "Resources", "Search", "Tenancy"];

        var upwards = from at in Enumerable.Range(0, folders.Length)
                      from above in folders[at..].Skip(1)
                      from file in SourcesNaming(new Regex($@"\bNodeStash\.Core\.{above}\b"), inside: $"src/Core/{folders[at]}/")
                      select $"{file} uses {above}";

        Assert.Equal(folders.Order(StringComparer.Ordinal),
            Directory.GetDirectories(In("src/Core")).Select(Path.GetFileName).Except(["bin", "obj"]).Order(StringComparer.Ordinal));
        Assert.Empty(upwards);
    }

    /// <summary>In the local host, which builds the apps without it, they bring no adapter of Azure along.</summary>
    [Theory]
    [InlineData("Functions.Api")]
    [InlineData("Functions.Webhooks")]
    public void An_app_references_the_adapters_of_Azure_only_where_the_Functions_host_runs_it(string app)
    {
        var reference = XDocument.Load(In($"src/{app}/{app}.csproj")).Descendants("ProjectReference")
            .Single(one => one.Attribute("Include")!.Value.EndsWith("Azure.csproj", StringComparison.Ordinal));

        Assert.Equal("'$(ForFunctionsHost)' == 'true'", reference.Attribute("Condition")?.Value);
        Assert.Equal([$"src/{app}/Program.cs"], SourcesNaming(Adapters(), inside: $"src/{app}/"));
    }

    [Fact]
    public void Core_references_no_cloud_SDK()
    {
        Assert.DoesNotContain(typeof(Core.Records.Schema).Assembly.GetReferencedAssemblies(), assembly => IsOfCloud(assembly.Name!));
        Assert.DoesNotContain(ReferencesOf("Core", "PackageReference"), IsOfCloud);
    }

    /// <summary>Three are there because the programming model asks for them: Microsoft.Azure.Functions.Worker.Core and its queue extension.</summary>
    [Fact]
    public void The_local_host_ships_no_adapter_of_Azure_and_no_SDK_but_what_the_programming_model_asks_for()
    {
        var build = new DirectoryInfo(AppContext.BaseDirectory); // bin/Debug/net10.0
        var list = In($"src/LocalHost/bin/{build.Parent!.Name}/{build.Name}/nodestash.deps.json");
        var shipped = JsonElement.Parse(File.ReadAllBytes(list)).GetProperty("targets").EnumerateObject()
            .SelectMany(target => target.Value.EnumerateObject())
            .SelectMany(library => library.Value.TryGetProperty("runtime", out var files) ? files.EnumerateObject().Select(file => file.Name) : [])
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .ToList();

        Assert.Contains("NodeStash.Core", shipped);
        Assert.Equal(["Azure.Core", "Azure.Storage.Common", "Azure.Storage.Queues"], shipped.Where(IsOfCloud).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_the_adapters_of_Azure_name_its_SDKs() =>
        Assert.Empty(SourcesNaming(CloudSdk(), outside: "src/Azure/"));

    [Fact]
    public void Only_the_Cosmos_adapter_names_Cosmos_DB() =>
        Assert.Empty(SourcesNaming(Cosmos(), outside: "src/Azure/Cosmos/"));

    [Fact]
    public void Only_the_search_adapter_names_Meilisearch() =>
        Assert.Empty(SourcesNaming(Meilisearch(), outside: "src/Azure/Meilisearch/"));

    /// <summary>Both builds compile the same lines.</summary>
    [Fact]
    public void No_source_depends_on_which_build_it_is() => Assert.Empty(SourcesNaming(Conditional()));

    /// <summary>A store that any environment can be opened with is for what decides whose data is at stake; endpoints get the caller's.</summary>
    [Fact]
    public void No_endpoint_can_open_the_data_of_another_workspace() =>
        Assert.Empty(SourcesNaming(OpensStores(), inside: "src/Functions.Api/V1/"));

    /// <summary>A receiver, however slow, holds up no change: what reads the feed records what is to be sent, and orchestrations send it.</summary>
    [Fact]
    public void What_reads_the_change_feed_calls_no_receiver()
    {
        var readers = SourcesNaming(ReadsChanges());

        Assert.NotEmpty(readers);
        Assert.Empty(readers.Intersect(SourcesNaming(CallsReceivers())));
    }

    [Theory]
    [InlineData("src/Core/")]
    [InlineData("src/Functions.Api/")]
    public void Only_the_door_knows_which_status_an_error_has(string inside) =>
        Assert.DoesNotContain(
            SourcesNaming(ErrorStatus(), inside, outside: "src/Functions.Api/V1/Statuses.cs"),
            file => file is not "src/Functions.Api/Http/Api.cs"); // Reads the status of a request that the server could not read.

    /// <summary>Tables and code may be wider: they have no other form.</summary>
    [Fact]
    public void No_line_of_a_document_has_more_than_120_characters()
    {
        var lines = from document in Documents()
                    from line in Fenced().Replace(File.ReadAllText(document), "").Split('\n')
                    where line.Length > 120 && !line.StartsWith('|')
                    select $"{Path.GetRelativePath(root, document)}: {line}";

        Assert.Empty(lines);
    }

    /// <summary>Texts between three quotes or more may be wider: they are data.</summary>
    [Fact]
    public void No_line_of_code_has_more_than_160_characters()
    {
        var lines = from folder in (string[])["bench", "compat", "src", "tests"]
                    from file in SourcesNaming(TooLong(), inside: folder + "/")
                    from line in RawString().Replace(File.ReadAllText(In(file)), "").Split('\n')
                    where line.Length > 160
                    select $"{file}: {line}";

        Assert.Empty(lines);
    }

    /// <summary>What is particular to a door stays with it. The demo is a client of /v1.</summary>
    [Fact]
    public void Only_the_door_knows_the_paths_of_v1() =>
        Assert.DoesNotContain(
            SourcesNaming(V1Path(), outside: "src/Functions.Api/V1/"), file => !file.StartsWith("src/LocalHost/Demo/", StringComparison.Ordinal));

    /// <summary>What the local host does with a message, the Functions host is told to do.</summary>
    [Fact]
    public void Both_hosts_treat_messages_alike()
    {
        var queues = JsonElement.Parse(File.ReadAllBytes(In("host.json"))).GetProperty("extensions").GetProperty("queues");

        Assert.Equal(QueueTriggers.MaxAttempts, queues.GetProperty("maxDequeueCount").GetInt32());
        Assert.Equal(QueueTriggers.RetryAfter, TimeSpan.Parse(queues.GetProperty("visibilityTimeout").GetString()!, CultureInfo.InvariantCulture));
        Assert.Equal(QueueTriggers.MaxConcurrent, queues.GetProperty("batchSize").GetInt32() + queues.GetProperty("newBatchThreshold").GetInt32());
        Assert.Equal("base64", queues.GetProperty("messageEncoding").GetString());
    }

    /// <summary>
    /// The message of an activity or orchestration whose host has died comes again when its visibility ends: a minute, the least that the Durable extension
    /// takes for control queues (AzureStorageOptions.Validate). While an activity runs, its message is renewed 30 s before that
    /// (TaskActivityDispatcher.RenewUntil).
    /// </summary>
    [Fact]
    public void After_a_crash_messages_come_again_in_a_minute_and_no_activity_lasts_so_long()
    {
        var storage = JsonElement.Parse(File.ReadAllBytes(In("host.json"))).GetProperty("extensions").GetProperty("durableTask").GetProperty("storageProvider");
        var control = TimeSpan.Parse(storage.GetProperty("controlQueueVisibilityTimeout").GetString()!, CultureInfo.InvariantCulture);
        var work = TimeSpan.Parse(storage.GetProperty("workItemQueueVisibilityTimeout").GetString()!, CultureInfo.InvariantCulture);
        var activities = FunctionCatalog.Of(typeof(SendDeliveries).Assembly).TriggeredBy<ActivityTriggerAttribute>().Select(f => f.Function.Name);

        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)), (control, work));
        Assert.Equal([nameof(SendDeliveries.SendDueDeliveries)], activities);
        Assert.InRange(SendDeliveries.MaxRoundTime, TimeSpan.Zero, work - TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void The_sample_of_the_settings_is_whole_but_for_what_each_deployment_has_of_its_own()
    {
        using var sample =
            JsonDocument.Parse(File.ReadAllBytes(In("local.settings.sample.json")), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        var settings = new ConfigurationBuilder().AddInMemoryCollection(
            sample.RootElement.GetProperty("Values").EnumerateObject().Select(value => new KeyValuePair<string, string?>(value.Name, value.Value.GetString())))
            .Build();

        var missing = Assert.Throws<SettingsException>(() => AzureSettings.Read(settings)).Errors;

        Assert.Equal(["COSMOS__accountEndpoint is missing", "SEALING_KEY is missing"],
            missing.Select(problem => problem[..problem.IndexOf(':', StringComparison.Ordinal)]));
    }

    [Fact]
    public void Every_invariant_names_tests_there_are()
    {
        var architecture = File.ReadAllText(In("ARCHITECTURE.md"));
        var invariants =
            architecture[architecture.IndexOf("## Invariants", StringComparison.Ordinal)..architecture.IndexOf("## Packages", StringComparison.Ordinal)];
        var sources = Directory.GetFiles(In("tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var named = TestName().Matches(invariants).Select(match => (Class: match.Groups[1].Value, Method: match.Groups[2].Value)).ToList();

        Assert.NotEmpty(named);
        Assert.All(named,
            test => Assert.Contains(sources,
                source => source.Contains($"class {test.Class}", StringComparison.Ordinal) && source.Contains($" {test.Method}(", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        var links = (
            from file in Documents()
            from Match link in Link().Matches(File.ReadAllText(file))
            let path = link.Groups[1].Value
            select (From: file, To: path.Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, path), Anchor: link.Groups[2].Value)).ToList();

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(Path.Exists(link.To), $"{link.From}: {link.To}"));
        Assert.All(links.Where(link => link.Anchor.Length > 0),
            link => Assert.True(AnchorsOf(link.To).Contains(link.Anchor), $"{link.From}: {link.To}#{link.Anchor}"));
    }

    [GeneratedRegex(@"`(\w+)\.(\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]*)#?([^)]*)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^ *```.*?^ *```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fenced();

    [GeneratedRegex("[^\\n]{161}")]
    private static partial Regex TooLong();

    [GeneratedRegex("(\"\"\"+).*?\\1", RegexOptions.Singleline)]
    private static partial Regex RawString();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"\bMicrosoft\.(AspNetCore|Azure\.Functions|DurableTask)\b|\bSystem\.Net\.Http\b")]
    private static partial Regex WebOrFunctions();

    [GeneratedRegex(@"\bNodeStash\.Azure\b")]
    private static partial Regex Adapters();

    [GeneratedRegex(@"\busing\s+(static\s+|\w+\s*=\s*)?(global::)?Azure\b|\bglobal::Azure\b|\bMicrosoft\.Azure\.Cosmos\b")]
    private static partial Regex CloudSdk();

    [GeneratedRegex(@"\bMicrosoft\.Azure\.Cosmos\b")]
    private static partial Regex Cosmos();

    [GeneratedRegex(@"\busing\s+Meilisearch\b|\bMeilisearch\.[A-Z]")]
    private static partial Regex Meilisearch();

    [GeneratedRegex(@"^[ \t]*#[ \t]*(if|elif|else)\b", RegexOptions.Multiline)]
    private static partial Regex Conditional();

    [GeneratedRegex(@"\b(IWorkspaceStores|IDeliveryStores|Partition\.Parse|new Partition)\b")]
    private static partial Regex OpensStores();

    [GeneratedRegex(@"\[CosmosDBTrigger\b")]
    private static partial Regex ReadsChanges();

    [GeneratedRegex(@"\b(WebhookSender|I?HttpClient(Factory)?|HttpMessageInvoker|SocketsHttpHandler|Socket|TcpClient)\b")]
    private static partial Regex CallsReceivers();

    [GeneratedRegex("^(?!\\s*///).*\"[^\"]*/v1\\b", RegexOptions.Multiline)]
    private static partial Regex V1Path();

    [GeneratedRegex(@"\bStatus[45]\d\d[A-Z]")]
    private static partial Regex ErrorStatus();

    /// <summary>What can stand behind the # of a link to a document: its headings in lower case, without punctuation, with hyphens for spaces.</summary>
    private static HashSet<string> AnchorsOf(string document) =>
        [.. Heading().Matches(Fenced().Replace(File.ReadAllText(document), ""))
            .Select(heading => NotInAnchor().Replace(heading.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'))];

    /// <summary>Whether an assembly or package is for a service of a cloud, or ours that adapts to one. The programming model is not.</summary>
    private static bool IsOfCloud(string name) =>
        new[] { "Azure.", "Microsoft.Azure.Cosmos", "Meilisearch", "NodeStash.Azure" }.Any(start => name.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Documents() =>
        [.. Directory.GetFiles(root, "*.md"), .. Directory.GetFiles(In("docs"), "*.md", SearchOption.AllDirectories),
            .. Directory.GetFiles(In("bench"), "*.md")];

    private static IEnumerable<string> ReferencesOf(string project, string kind) =>
        XDocument.Load(In($"src/{project}/{project}.csproj")).Descendants(kind).Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));

    /// <summary>The sources that match, as paths from the root with forward slashes.</summary>
    /// <param name="pattern">What they name.</param>
    /// <param name="inside">The folder to look in.</param>
    /// <param name="outside">A folder that may name it; null for none.</param>
    private static List<string> SourcesNaming(Regex pattern, string inside = "src/", string? outside = null) =>
    [
        .. from file in Directory.EnumerateFiles(In(inside), "*.cs", SearchOption.AllDirectories)
           let path = Path.GetRelativePath(root, file).Replace('\\', '/')
           where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
           where outside is null || !path.StartsWith(outside, StringComparison.Ordinal)
           where pattern.IsMatch(File.ReadAllText(file))
           select path,
    ];

    /// <summary>A path in the project.</summary>
    internal static string In(string path) => Path.Combine(root, path);

    private static string RootOf(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "NodeStash.sln"))) return at.FullName;
        }

        throw new DirectoryNotFoundException($"NodeStash.sln is not above {folder}.");
    }
}
