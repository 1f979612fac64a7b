using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Azure.Cosmos;
using NodeStash.Core.Jobs;
using NodeStash.Core.Resources;
using NodeStash.Core.Telemetry;
using NodeStash.Functions.Webhooks.Jobs;
using NodeStash.LocalHost.Triggers;

namespace NodeStash.Repository.Tests;

/// <summary>Files beside the code say what it says. What Bicep compiles to is checked in tests/Infrastructure.</summary>
public sealed partial class InfrastructureTests
{
    /// <summary>On a difference: the text that is expected is what belongs in the file.</summary>
    [Theory]
    [InlineData(CosmosContainers.Crm)]
    [InlineData(CosmosContainers.Deliveries)]
    [InlineData(CosmosContainers.Access)]
    public void Index_policies_are_those_of_the_code(string container)
    {
        var policy = CosmosContainers.All(Crm.Catalog.Indexes).Single(c => c.Id == container).IndexingPolicy;

        Assert.Equal(Newtonsoft.Json.JsonConvert.SerializeObject(policy, Newtonsoft.Json.Formatting.Indented).ReplaceLineEndings("\n"),
            File.ReadAllText(StructureTests.In($"infra/bicep/indexing/{container}.json")).TrimEnd());
    }

    [Fact]
    public void The_operations_document_names_metrics_there_are()
    {
        var metrics = typeof(Instruments).GetFields(BindingFlags.Static | BindingFlags.Public).Select(f => f.GetValue(null)).OfType<Instrument>()
            .Select(i => i.Name).ToList();
        var used = Metric().Matches(File.ReadAllText(StructureTests.In("docs/operations.md"))).Select(m => m.Value).Distinct();

        Assert.NotEmpty(used);
        Assert.DoesNotContain(used, name => !metrics.Contains(name));
    }

    [Fact]
    public void The_change_feed_has_its_leases_where_they_are_deployed()
    {
        var feeds = Directory.EnumerateFiles(StructureTests.In("src/Functions.Webhooks"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Feed().Matches(File.ReadAllText(file)))
            .Select(m => (Container: m.Groups[1].Value, Leases: m.Groups[2].Value, Prefix: m.Groups[3].Value)).ToList();

        Assert.NotEmpty(feeds);
        Assert.All(feeds, feed => Assert.Equal((CosmosContainers.Crm, CosmosContainers.Leases), (feed.Container, feed.Leases)));
        Assert.Equal(feeds.Count, feeds.Select(feed => feed.Prefix).Distinct().Count());
    }

    /// <summary>The Functions host forgets what is in a poison queue after 7 days.</summary>
    [Fact]
    public void What_is_put_into_a_poison_queue_has_a_function_that_keeps_it()
    {
        var read = FunctionCatalog.Of(typeof(KeepFailedJobs).Assembly).TriggeredBy<QueueTriggerAttribute>().Select(f => f.Trigger.QueueName);

        Assert.Equal(
            JobQueue.All.SelectMany(queue => new[] { queue, queue + JobQueue.PoisonSuffix }).Order(StringComparer.Ordinal),
            read.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"nodestash(\.\w+)+\b(?<!\.(db|dll|bicep))")]
    private static partial Regex Metric();

    [GeneratedRegex(
        """CosmosDBTrigger\("%COSMOS_DATABASE%", "(\w+)", Connection = "COSMOS", LeaseContainerName = "(\w+)", LeaseContainerPrefix = "([^"]+)",""")]
    private static partial Regex Feed();
}
