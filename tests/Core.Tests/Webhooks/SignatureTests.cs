using System.Text;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Webhooks;

public sealed class SignatureTests
{
    private const string Body = """{"event":"contact.created"}""";
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly string SecretText = "whsec_" + Convert.ToBase64String(Secret);
    private static readonly DateTimeOffset SentAt = DateTimeOffset.FromUnixTimeSeconds(1_893_456_000);

    /// <summary>Computed with: openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f over <c>evt_0001.1893456000.{"event":"contact.created"}</c>.</summary>
    [Fact]
    public void A_signature_is_what_openssl_computes() => Assert.Equal("v1,0iODKmKhN7xjgkdwfrHhQYzzcOK2JWbqkHoH1rRRhwU=", Sign(Secret));

    /// <summary>The example in the tests of the Standard Webhooks libraries.</summary>
    [Fact]
    public void The_public_example_of_Standard_Webhooks_holds()
    {
        var secret = Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        var at = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);

        var signature = Signature.Sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, "{\"test\": 2432232314}"u8);

        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature);
    }

    [Fact]
    public void While_two_secrets_live_both_sign_and_either_verifies()
    {
        byte[] old = [.. Enumerable.Repeat((byte)7, 32)];

        var signatures = Sign(Secret, old);

        Assert.Equal($"{Sign(Secret)} {Sign(old)}", signatures);
        Assert.True(Verify(SecretText, signatures));
        Assert.True(Verify("whsec_" + Convert.ToBase64String(old), signatures));
        Assert.False(Verify("whsec_" + Convert.ToBase64String(new byte[32]), signatures));
    }

    [Fact]
    public void The_prefix_of_the_secret_may_be_left_out() => Assert.True(Verify(Convert.ToBase64String(Secret), Sign(Secret)));

    [Theory]
    [InlineData("evt_0002", "1893456000", Body)]
    [InlineData("evt_0001", "1893456001", Body)]
    [InlineData("evt_0001", "1893456000", "{\"event\":\"contact.created\"} ")]
    [InlineData("evt_0001", "-1893456000", Body)]
    [InlineData("evt_0001", " 1893456000", Body)]
    [InlineData("evt_0001", "", Body)]
    [InlineData("evt_0001", "9223372036854775807", Body)]
    public void A_signature_is_of_one_id_time_and_body(string id, string timestamp, string body) =>
        Assert.False(Signature.Verify(SecretText, id, timestamp, Sign(Secret), Encoding.UTF8.GetBytes(body), SentAt, TimeSpan.FromMinutes(5)));

    [Theory]
    [InlineData("")]
    [InlineData("v1,")]
    [InlineData("v1,AAAA")]
    [InlineData("v1,žluť")]
    public void What_is_no_signature_does_not_verify(string signatures) => Assert.False(Verify(SecretText, signatures));

    [Fact]
    public void A_signature_of_another_scheme_does_not_verify() =>
        Assert.False(Verify(SecretText, Sign(Secret).Replace("v1,", "v1a,", StringComparison.Ordinal)));

    [Theory]
    [InlineData(-300, true)]
    [InlineData(300, true)]
    [InlineData(-301, false)]
    [InlineData(301, false)]
    public void A_signature_counts_for_the_tolerance_only(int seconds, bool verifies) => Assert.Equal(verifies, Signature.Verify(
        SecretText, "evt_0001", "1893456000", Sign(Secret), Encoding.UTF8.GetBytes(Body), SentAt.AddSeconds(seconds), TimeSpan.FromMinutes(5)));

    private static string Sign(params byte[][] secrets) => Signature.Sign(secrets, "evt_0001", SentAt, Encoding.UTF8.GetBytes(Body));

    private static bool Verify(string secret, string signatures) =>
        Signature.Verify(secret, "evt_0001", "1893456000", signatures, Encoding.UTF8.GetBytes(Body), SentAt, TimeSpan.FromMinutes(5));
}
