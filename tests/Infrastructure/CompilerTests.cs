using System.Text.Json;
using System.Text.RegularExpressions;

namespace NodeStash.Infrastructure.Tests;

/// <summary>The compiler accepts infra/bicep without an error or a warning, by every rule of its linter.</summary>
public sealed partial class CompilerTests
{
    private const string Main = "main.bicep", Vault = "vault.bicep";

    [Theory]
    [InlineData("*.bicep")]
    [InlineData("*.bicepparam")]
    public async Task Every_file_passes_every_rule_of_the_linter(string pattern)
    {
        Assert.NotEmpty(Files(pattern));
        await Bicep.Run("lint", "--pattern", pattern);
    }

    [Theory]
    [InlineData(Main)]
    [InlineData(Vault)]
    public async Task A_template_compiles(string template) => await Bicep.Build(template);

    [Theory]
    [InlineData("dev.bicepparam")]
    [InlineData("prod.bicepparam")]
    public async Task A_parameter_file_compiles_and_takes_the_address_for_alerts(string file)
    {
        var built = JsonElement.Parse(await Bicep.Run("build-params", file, "--stdout"));

        var parameters = JsonElement.Parse(built.GetProperty("parametersJson").GetString()!).GetProperty("parameters");
        Assert.Equal(Deployment.AlertEmail, parameters.GetProperty("alertEmail").GetProperty("value").GetString());
    }

    /// <summary>The Azure Developer CLI puts environment variables into this one, which the compiler doesn't read.</summary>
    [Fact]
    public async Task Parameters_for_azd_fit_the_template()
    {
        var declared = (await Bicep.Build(Main)).GetProperty("parameters");
        var given = JsonElement.Parse(await File.ReadAllBytesAsync(Path.Combine(Bicep.Folder, "main.parameters.json"))).GetProperty("parameters");

        Assert.DoesNotContain(given.EnumerateObject(), parameter => !declared.TryGetProperty(parameter.Name, out _));
        Assert.DoesNotContain(declared.EnumerateObject(), parameter => !parameter.Value.TryGetProperty("defaultValue", out _) && !given.TryGetProperty(parameter.Name, out _));
        Assert.All(given.EnumerateObject(), parameter =>
        {
            if (!declared.GetProperty(parameter.Name).TryGetProperty("allowedValues", out var allowed)) return;
            Assert.Contains(Default().Match(parameter.Value.GetProperty("value").GetString()!).Groups[1].Value, allowed.EnumerateArray().Select(value => value.GetString()));
        });
    }

    [Theory]
    [InlineData(Main)]
    [InlineData(Vault)]
    public async Task Parameters_and_outputs_of_a_template_are_described(string template)
    {
        var built = await Bicep.Build(template);

        Assert.All(
            built.GetProperty("parameters").EnumerateObject().Concat(built.GetProperty("outputs").EnumerateObject()),
            declared => Assert.True(declared.Value.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("description", out _), declared.Name));
    }

    [Fact]
    public void The_configuration_has_every_rule_of_the_compiler() =>
        Assert.Equal(LinterRules.Read(Bicep.Program), ConfiguredRules().EnumerateObject().Select(rule => rule.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void A_rule_that_is_not_an_error_has_its_reason_above_it()
    {
        var lines = File.ReadAllLines(Path.Combine(Bicep.Folder, "bicepconfig.json"));
        var lowered = ConfiguredRules().EnumerateObject().Where(rule => !rule.Value.GetProperty("level").ValueEquals("error")).Select(rule => rule.Name);

        Assert.All(lowered, rule => Assert.StartsWith("//", lines[Array.FindIndex(lines, line => line.Contains($"\"{rule}\"", StringComparison.Ordinal)) - 1].TrimStart(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_diagnostic_that_is_switched_off_in_a_file_has_its_reason_there()
    {
        var switchedOff =
            from file in Files("*.bicep")
            let lines = File.ReadAllLines(Path.Combine(Bicep.Folder, file))
            from at in Enumerable.Range(0, lines.Length)
            where lines[at].Contains("#disable", StringComparison.Ordinal)
            select (Where: $"{file}({at + 1})", Text: lines[at] + lines[at - 1]);

        Assert.NotEmpty(switchedOff);
        Assert.All(switchedOff, line => Assert.True(line.Text.Contains("// ", StringComparison.Ordinal), $"{line.Where} gives no reason"));
    }

    private static IEnumerable<string> Files(string pattern) => Directory.EnumerateFiles(Bicep.Folder, pattern).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);

    private static JsonElement ConfiguredRules()
    {
        using var configuration = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Bicep.Folder, "bicepconfig.json")), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        return configuration.RootElement.GetProperty("analyzers").GetProperty("core").GetProperty("rules").Clone();
    }

    [GeneratedRegex(@"^\$\{\w+=(.*)\}$")]
    private static partial Regex Default();
}
