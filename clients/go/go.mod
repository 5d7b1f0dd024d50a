module rechargegateway

go 1.20
