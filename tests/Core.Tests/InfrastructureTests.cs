using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage.Cosmos;
using NodeStash.Core.Telemetry;
using NodeStash.Functions.Webhooks.Jobs;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Core.Tests;

/// <summary>What is deployed is what the code works with: names in infra/bicep are those of the code.</summary>
public sealed partial class InfrastructureTests
{
    [Fact]
    public void Containers_have_the_code_s_names_keys_and_lifetimes()
    {
        var deployed = Container().Matches(Bicep("cosmos.bicep")).Select(m => $"{m.Groups["name"]} by {m.Groups["key"]}, ttl {m.Groups["ttl"]}");

        Assert.Equal(CosmosContainers.All(Catalog.Indexes).Select(c => $"{c.Id} by {c.PartitionKeyPath}, ttl {c.DefaultTimeToLive?.ToString() ?? "null"}"), deployed);
    }

    /// <summary>On a difference: the text that is expected is what belongs in the file.</summary>
    [Theory]
    [InlineData(CosmosContainers.Crm)]
    [InlineData(CosmosContainers.Deliveries)]
    [InlineData(CosmosContainers.Access)]
    public void Index_policies_are_those_of_the_code(string container)
    {
        var policy = CosmosContainers.All(Catalog.Indexes).Single(c => c.Id == container).IndexingPolicy;

        Assert.Equal(Newtonsoft.Json.JsonConvert.SerializeObject(policy, Newtonsoft.Json.Formatting.Indented).ReplaceLineEndings("\n"), File.ReadAllText(StructureTests.In($"infra/bicep/indexing/{container}.json")).TrimEnd());
    }

    [Fact]
    public void The_stored_procedure_is_the_code_s()
    {
        var bicep = Bicep("cosmos.bicep");

        Assert.Contains($"nodestash/{CosmosContainers.Crm}/{CommitProcedure.Id}'", bicep, StringComparison.Ordinal);
        Assert.Contains($"id: '{CommitProcedure.Id}', body: loadTextContent('../../src/Core/Storage/Cosmos/commit.js')", bicep, StringComparison.Ordinal);
    }

    [Fact]
    public void Queues_are_those_of_the_code() =>
        Assert.Equal(JobQueue.All, Quoted().Matches(Declaration("storage.bicep", "queueNames")).Select(m => m.Groups[1].Value));

    [Fact]
    public void Each_queue_is_deployed_with_its_poison_queue_and_the_one_that_keeps()
    {
        var suffixes = SuffixedQueues().Matches(Bicep("storage.bicep")).Select(m => m.Groups[1].Value);

        Assert.Equal([JobQueue.PoisonSuffix, JobQueue.GivenUpSuffix], suffixes);
    }

    /// <summary>The Functions host forgets what is in a poison queue after 7 days.</summary>
    [Fact]
    public void What_is_put_into_a_poison_queue_has_a_function_that_keeps_it()
    {
        var read = FunctionCatalog.Of(typeof(KeepGivenUp).Assembly).TriggeredBy<QueueTriggerAttribute>().Select(f => f.Trigger.QueueName);

        Assert.Equal(
            JobQueue.All.SelectMany(queue => new[] { queue, queue + JobQueue.PoisonSuffix }).Order(StringComparer.Ordinal),
            read.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_alert_is_raised_as_soon_as_a_job_is_given_up()
    {
        var onIt = $"\"{Instruments.JobsGivenUp.Name}\"";
        var rule = Assert.Single(Rule().Matches(Bicep("alerts.bicep")), rule => rule.Groups["query"].Value.Contains(onIt, StringComparison.Ordinal));

        Assert.Equal(("0", "PT5M"), (rule.Groups["threshold"].Value, rule.Groups["every"].Value));
    }

    [Fact]
    public void The_apps_are_told_settings_that_the_sample_explains()
    {
        var sample = JsonDocument.Parse(File.ReadAllText(StructureTests.In("local.settings.sample.json")), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var explained = File.ReadAllText(StructureTests.In("local.settings.sample.json"));
        var known = sample.RootElement.GetProperty("Values").EnumerateObject().Select(p => p.Name).ToHashSet();
        var told = Setting().Matches(Bicep("main.bicep") + Bicep("functionApp.bicep")).Select(m => m.Groups[1].Value).Distinct();

        // A setting of several parts, as NAME__part, is explained with NAME.
        Assert.DoesNotContain(told, name => !known.Contains(name) && !explained.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public void Alerts_are_on_metrics_there_are()
    {
        var metrics = typeof(Instruments).GetFields(BindingFlags.Static | BindingFlags.Public).Select(f => f.GetValue(null)).OfType<Instrument>().Select(i => i.Name).ToList();
        var used = Metric().Matches(Bicep("alerts.bicep") + File.ReadAllText(StructureTests.In("docs/operations.md"))).Select(m => m.Value).Distinct();

        Assert.DoesNotContain(used, name => !metrics.Contains(name));
    }

    [Fact]
    public void The_change_feed_has_its_leases_where_they_are_deployed()
    {
        var feeds = Directory.EnumerateFiles(StructureTests.In("src/Functions.Webhooks"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Feed().Matches(File.ReadAllText(file))).Select(m => (Container: m.Groups[1].Value, Leases: m.Groups[2].Value, Prefix: m.Groups[3].Value)).ToList();

        Assert.NotEmpty(feeds);
        Assert.All(feeds, feed => Assert.Equal((CosmosContainers.Crm, CosmosContainers.Leases), (feed.Container, feed.Leases)));
        Assert.Equal(feeds.Count, feeds.Select(feed => feed.Prefix).Distinct().Count());
    }

    private static string Bicep(string file) => File.ReadAllText(StructureTests.In($"infra/bicep/{file}"));

    private static string Declaration(string file, string variable) => Regex.Match(Bicep(file), $@"^var {variable} = (.*)$", RegexOptions.Multiline).Groups[1].Value;

    [GeneratedRegex(@"\{ name: '(?<name>\w+)', key: '(?<key>[^']+)', ttl: (?<ttl>-?\w+),")]
    private static partial Regex Container();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\[for name in queueNames: \{ name: '\$\{name\}([a-z-]+)' \}\]")]
    private static partial Regex SuffixedQueues();

    [GeneratedRegex(@"query: '(?<query>[^\n]*)'\s+threshold: (?<threshold>\d+)\s+severity: \d\s+every: '(?<every>\w+)'")]
    private static partial Regex Rule();

    [GeneratedRegex(@"^\s+([A-Z][A-Za-z]*_[A-Za-z_]+): ", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"nodestash(\.\w+)+\b(?<!\.(db|dll|bicep))")]
    private static partial Regex Metric();

    [GeneratedRegex("""CosmosDBTrigger\("%COSMOS_DATABASE%", "(\w+)", Connection = "COSMOS", LeaseContainerName = "(\w+)", LeaseContainerPrefix = "([^"]+)",""")]
    private static partial Regex Feed();
}
